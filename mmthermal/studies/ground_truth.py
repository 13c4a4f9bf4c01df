"""What finished runs are tested on, and their detections matched with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.fileio import list_from_file
from pycocotools.coco import COCO

from mmthermal.common.config import read_config
from mmthermal.common.files import file_sha256, read_json
from mmthermal.common.run_state import read_done
from mmthermal.evaluation.coco_columns import load_ground_truth
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.studies.run_folder import ConfigRuns, Run

MAX_DETS = 1000  # per image and class, as mmdet's CocoMetric keeps


@dataclass(frozen=True)
class TestSet:
    """The ground truth and the images of a config's test set.

    Attributes:
        ann_file: COCO annotations.
        img_dir: folder that the file names of the annotations start from.
        classes: names of the classes that are evaluated; None for all of the file.
    """

    ann_file: Path
    img_dir: Path
    classes: tuple[str, ...] | None = None


def test_set(cfg: Config) -> TestSet:
    """Find the test annotations, images and classes of a config.

    Raises:
        ValueError: the config names no annotation file.
    """
    evaluators = cfg.get("test_evaluator") or {}
    evaluators = evaluators if isinstance(evaluators, list | tuple) else [evaluators]
    dataset = (cfg.get("test_dataloader") or {}).get("dataset") or {}
    root = Path(dataset.get("data_root") or "")
    ann_file = next((e["ann_file"] for e in evaluators if e.get("ann_file")), None)
    if ann_file is None and dataset.get("ann_file"):
        ann_file = root / dataset["ann_file"]
    if ann_file is None:
        raise ValueError(
            f"config {cfg.filename!r}: neither test_evaluator.ann_file nor "
            "test_dataloader.dataset.ann_file is set; set one to the COCO annotations of the "
            "test set"
        )
    prefix = dataset.get("data_prefix") or {}
    return TestSet(
        Path(ann_file),
        root / (prefix.get("img") or prefix.get("img_path") or ""),
        _classes((dataset.get("metainfo") or {}).get("classes")),
    )


def _classes(chosen: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """The names of metainfo, which mmengine takes from a file of a name per line, too."""
    if chosen is None:
        return None
    return tuple(list_from_file(chosen) if isinstance(chosen, str) else chosen)


def tested_on(run: Run) -> TestSet:
    """The test set of a run: the one that it was tested on, or else that of its config."""
    done = read_done(run.folder) if (run.folder / "done.json").exists() else {}
    if "ann_file" not in done:
        return test_set(read_config(run.config, run.cfg_options))
    return TestSet(Path(done["ann_file"]), Path(done["img_dir"]), _classes(done.get("classes")))


test_set.__test__ = False  # type: ignore[attr-defined]  # not a pytest test
TestSet.__test__ = False  # type: ignore[attr-defined]


def shared_test_set(groups: Sequence[ConfigRuns]) -> TestSet:
    """The one test set of all runs.

    Raises:
        FileNotFoundError: an annotation file is missing.
        ValueError: the configs are tested on different annotations, or classes of them.
    """
    found: dict[tuple[str, tuple[str, ...] | None], tuple[str, TestSet]] = {}
    for group in groups:
        for run in group.runs:
            where = tested_on(run)
            if not where.ann_file.is_file():
                raise FileNotFoundError(
                    f"{run.label}: annotation file {str(where.ann_file)!r} does not exist; paths "
                    "in configs start from the folder in which the command is given"
                )
            key = (file_sha256(where.ann_file), where.classes)
            found.setdefault(key, (run.label, where))
    if len({digest for digest, _ in found}) > 1:
        listed = "; ".join(f"{label}: {where.ann_file}" for label, where in found.values())
        raise ValueError(f"the runs are tested on different annotations ({listed})")
    first = next(iter(found.values()))[1]
    if len(found) > 1:
        coco = load_ground_truth(first.ann_file)
        names = {label: _names(coco, where.classes) for label, where in found.values()}
        if len(set(names.values())) > 1:
            listed = "; ".join(f"{label}: {', '.join(known)}" for label, known in names.items())
            raise ValueError(f"the runs are tested on different classes ({listed})")
    return first


def _names(coco: COCO, classes: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the classes of the annotations that are evaluated."""
    return tuple(str(category["name"]) for category in _evaluated(coco, classes))


def _evaluated(coco: COCO, classes: Sequence[str] | None) -> list[dict[str, Any]]:
    """The categories of the annotations that are evaluated."""
    categories = coco.dataset["categories"]
    return [c for c in categories if classes is None or c["name"] in classes]


def match(
    ground_truth: COCO,
    detections: Sequence[Mapping[str, Any]],
    classes: Sequence[str] | None,
    **settings: Any,
) -> MatchTable:
    """Match detections as OverlapCocoMetric does in a test.

    Args:
        ground_truth: the annotations.
        detections: COCO results.
        classes: names of those to evaluate; None for all.
        **settings: ``subsets`` and ``iou_thrs`` of the table.

    Raises:
        ValueError: as in :meth:`MatchTable.from_coco`.
    """
    cat_ids = [category["id"] for category in _evaluated(ground_truth, classes)]
    return MatchTable.from_coco(
        ground_truth, detections, max_dets=MAX_DETS, cat_ids=cat_ids, **settings
    )


def match_run(run: Run) -> MatchTable:
    """The detections of a finished run, matched with what it was tested on.

    Raises:
        ValueError: for detections that do not fit; the run and its file are named.
    """
    where = tested_on(run)
    detections = read_json(run.predictions, what="predictions")
    try:
        return match(load_ground_truth(where.ann_file), detections, where.classes)
    except ValueError as error:
        raise ValueError(f"{run.label}, {run.predictions}: {error}") from error
