"""The runs of a comparison, matched with the ground truth once.

Shape shorthand in this module:
    S: seeds that all models share
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycocotools.coco import COCO

from mmthermal.common.files import read_json
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.numbered_ids import NumberedCoco
from mmthermal.studies.ground_truth import match
from mmthermal.studies.run_folder import ConfigRuns


@dataclass(frozen=True)
class Model:
    """The runs of one config, evaluated.

    Attributes:
        name: of the config.
        detections: per shared seed its COCO results.
        tables: per shared seed its matched detections.
        work_dirs: per shared seed its folder.
    """

    name: str
    detections: dict[int, Sequence[Mapping[str, Any]]]
    tables: dict[int, MatchTable]
    work_dirs: dict[int, Path]


def shared_seeds(groups: Sequence[ConfigRuns]) -> list[int]:
    """Seeds that every config has.

    Raises:
        ValueError: there is none.
    """
    shared = set.intersection(*(set(group.seeds) for group in groups))
    if not shared:
        seeds = "; ".join(f"{group.name}: {group.seeds}" for group in groups)
        raise ValueError(f"the configs share no seed ({seeds}): pairs need the same seeds")
    return sorted(shared)


def load_models(
    groups: Sequence[ConfigRuns],
    ground_truth: NumberedCoco,
    classes: Sequence[str] | None = None,
) -> list[Model]:
    """Match the predictions of every run with the ground truth.

    Args:
        groups: finished runs, the baseline first.
        ground_truth: annotations that all of them were tested on.
        classes: names of those that are evaluated; None for all.

    Raises:
        ValueError: fewer than two configs, no shared seed, or predictions that do not fit, whose
            run is named.
    """
    if len(groups) < 2:
        raise ValueError(f"{len(groups)} config given: a comparison needs at least two")
    seeds = shared_seeds(groups)
    models = []
    for group in groups:
        runs = {run.seed: run for run in group.runs if run.seed in seeds}
        detections, tables = {}, {}
        for seed, run in sorted(runs.items()):
            found = read_json(run.predictions, what="predictions")
            try:
                detections[seed] = ground_truth.results(found)
                tables[seed] = match(ground_truth.coco, detections[seed], classes)
            except ValueError as error:
                raise ValueError(f"{run.label}, {run.predictions}: {error}") from error
        folders = {seed: runs[seed].folder for seed in tables}
        models.append(Model(group.name, detections, tables, folders))
    return models


def group_labels(
    ground_truth: COCO, img_ids: Iterable[int], group_key: str | None
) -> list[str] | None:
    """Read the field of the image records by which images are resampled together.

    Raises:
        ValueError: an image record lacks it.
    """
    if group_key is None:
        return None
    records = [ground_truth.imgs[i] for i in img_ids]
    missing = [record["file_name"] for record in records if group_key not in record]
    if missing:
        raise ValueError(
            f"group_key={group_key!r}: {len(missing)} image records lack it, {missing[0]!r} first; "
            f"known are {sorted(records[0])}"
        )
    return [str(record[group_key]) for record in records]
