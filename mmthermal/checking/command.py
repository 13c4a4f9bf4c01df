"""What `tools/check_data.py` does: read the splits, check them one by one and together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmthermal.checking.agreement import NORMALISATION
from mmthermal.checking.anchors import check_anchors
from mmthermal.checking.annotations import check_annotations
from mmthermal.checking.fills import check_fills
from mmthermal.checking.finding import Finding, has_errors, worst_first
from mmthermal.checking.held_out import check_held_out
from mmthermal.checking.image_facts import ImageFacts, measure_all
from mmthermal.checking.images import check_images
from mmthermal.checking.levels import check_levels, compare_levels, describe_levels
from mmthermal.checking.network_values import check_training_sets, places
from mmthermal.checking.objects import describe
from mmthermal.checking.pipelines import check_pixel_range, compare_pipelines, pipelines_of
from mmthermal.checking.records import UNREADABLE
from mmthermal.checking.scales import compare_scales
from mmthermal.checking.sources import Split, split_of_file, splits_of_config, splits_of_folder
from mmthermal.checking.splits import (
    check_classes,
    check_near_copies,
    check_sequences,
    sequence_key,
    sequences,
)
from mmthermal.checking.table import Table, make_table
from mmthermal.common.config import read_config
from mmthermal.common.dataset_configs import innermost
from mmthermal.common.files import read_json
from mmthermal.common.installed import find_config


@dataclass(frozen=True)
class Report:
    """What a check found.

    Args:
        source: the config or folder that was checked.
        findings: worst first.
        figures: by split, see :func:`~mmthermal.checking.objects.describe` and
            :func:`~mmthermal.checking.levels.describe_levels`; ``anchors`` of the training set.
        splits: the files that were read.
        tables: records by split, of the splits that could be read.
        facts: of the pictures by split; empty where none were opened.
    """

    source: str
    findings: list[Finding]
    figures: dict[str, Any]
    splits: list[Split]
    tables: dict[str, Table] = field(repr=False)
    facts: dict[str, list[ImageFacts]] = field(repr=False)

    @property
    def exit_status(self) -> int:
        """1 if something would spoil a training, else 0."""
        return int(has_errors(self.findings))

    def to_dict(self) -> dict[str, Any]:
        """A form that JSON takes."""
        return {
            "source": self.source,
            "errors": sum(finding.severity == "error" for finding in self.findings),
            "findings": [finding.to_dict() for finding in self.findings],
            "figures": self.figures,
        }


def check_data(
    source: str | Path,
    *,
    ann_files: Sequence[str] = (),
    img_dir: str | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    images: bool = True,
    workers: int = 2,
    say: Callable[[str], None] = lambda line: None,
) -> Report:
    """Check the data of a config, or of a folder with annotation files.

    Args:
        source: a config file, the name of one of mmthermal's, a folder, or an annotation file
            (``.json``).
        ann_files: annotation files of a folder, from the folder on; found if empty, where files
            that list no images are only noted.
        img_dir: folder of the images, from the folder on; found if None.
        cfg_options: settings that replace those of the config.
        images: whether to open the pictures.
        workers: threads that read pictures.
        say: takes lines about the progress.

    Returns:
        what was found.

    Raises:
        FileNotFoundError: if the config, the folder or an annotation file does not exist.
        ImportError: if the pipeline reads temperatures and flyr is not installed.
        ValueError: if an annotation file is not JSON, the config has none, an option or a
            variable of it changes nothing, or ``ann_files`` are given beside an annotation file.
    """
    cfg = None
    findings: list[Finding] = []
    single = _annotation_file(source)
    if single is not None:
        if ann_files:
            raise ValueError(
                f"{str(source)!r} is a file, and --ann={list(ann_files)} names files of a folder: "
                "give the folder, or the file alone"
            )
        splits = [split_of_file(source, single.content, img_dir)]
    elif _is_config(source):
        cfg = read_config(source, cfg_options or {})
        splits = splits_of_config(cfg)
    else:
        splits, findings = splits_of_folder(source, ann_files, img_dir)
    report = Report(str(source), [], {}, splits, {}, {})
    contents = {split.name: _check_split(split, report, images, workers, say) for split in splits}
    findings += [*report.findings, *_together(report, contents)]
    first = splits[0]
    if cfg is not None:
        findings += [*compare_pipelines(cfg), *compare_scales(cfg, report.tables)]
        findings += check_held_out(cfg)
        findings += check_fills(cfg, report.figures.get(first.name, {}).get("pictures", {}))
        if not any(finding.code == NORMALISATION for finding in findings):
            findings += _network_values(cfg, report, splits)
    if cfg is not None and first.name in report.tables:
        found, report.figures["anchors"] = check_anchors(
            report.tables[first.name], cfg.get("model") or {}, first.pipeline
        )
        findings += [finding.at(first.name) for finding in found]
    return replace(report, findings=worst_first(findings))


def _network_values(cfg: Any, report: Report, splits: Sequence[Split]) -> list[Finding]:
    """Compare what the network gets of the training's pictures with what it can take."""
    read = {id(split.dataset): split for split in splits if split.name in report.facts}
    datasets = innermost((cfg.get("train_dataloader") or {}).get("dataset"))
    records = [_records(read[id(d)], report) if id(d) in read else [] for d in datasets]
    sets = list(zip(pipelines_of(cfg, "train"), records, strict=False))
    return check_training_sets(sets, (cfg.get("model") or {}).get("data_preprocessor"))


def _records(split: Split, report: Report) -> list[dict[str, Any]]:
    """Records of some of its pictures, as a data set gives them to its pipeline."""
    table = report.tables[split.name]
    records = []
    for i in places(len(table.file_names)):
        width, height = table.sizes[i].astype(int).tolist()
        whole = [0, 0, width, height]  # an object, for the transforms that look for one
        corners = [[0, 0, width, 0, width, height, 0, height]]
        records.append(
            dict(
                img_path=str(Path(split.img_dir) / table.file_names[i]),
                img_id=table.image_ids[i],
                width=width,
                height=height,
                instances=[dict(bbox=whole, mask=corners, bbox_label=0, ignore_flag=0)],
            )
        )
    return records


@dataclass(frozen=True)
class _Read:
    """A JSON file; its content may be None."""

    content: Any


def _annotation_file(source: str | Path) -> _Read | None:
    """What a JSON file holds that is no config; None for all else."""
    path = Path(source)
    if path.suffix.lower() != ".json" or not path.is_file():
        return None
    content = read_json(path, what="the file")
    keys = [str(key) for key in content] if isinstance(content, dict) else []
    is_config = any(key in ("_base_", "model") or key.endswith("_dataloader") for key in keys)
    return None if is_config else _Read(content)


def _is_config(source: str | Path) -> bool:
    """Whether a source is a config file or the name of one of mmthermal's."""
    if Path(source).is_dir():
        return False
    if Path(source).suffix == ".py":
        return True
    try:
        find_config(source)
    except FileNotFoundError:
        return False
    return True


def _check_split(
    split: Split, report: Report, images: bool, workers: int, say: Callable[[str], None]
) -> Any:
    """Check one split, put what is found into the report, and return the file's content."""
    content = split.content
    if content is None:
        content = read_json(split.ann_file, what=f"the annotation file of {split.name}")
    unlabelled = _is_unlabelled_test(split, content)
    found = check_annotations(
        content,
        split.ann_file,
        classes=split.classes,
        filter_cfg=split.filter_cfg,
        test_mode=split.test_mode,
        labelled=not unlabelled,
    )
    if unlabelled:
        found.append(
            Finding(
                "note",
                "no-annotations",
                "the file has no annotations: what is found in its pictures can be written, and "
                "not judged",
                "set format_only=True and outfile_prefix of test_evaluator",
            )
        )
    table = _table(content, split, found)
    if table is not None:
        report.tables[split.name] = table
        report.figures[split.name] = describe(table)
        if images:
            say(f"{split.name}: {len(table.file_names)} pictures")
            paths = [Path(split.img_dir) / name for name in table.file_names]
            facts = measure_all(paths, workers=workers, radiometric=split.radiometric)
            report.facts[split.name] = facts
            levels = report.figures[split.name]["pictures"] = describe_levels(facts)
            records = content["images"]
            setting = "data_prefix.img" if split.dataset else "the folder of --img-dir"
            found += check_images(facts, table.sizes, folder_setting=setting)
            found += check_levels(facts, sequences(records, sequence_key(records)))
            found += check_pixel_range(split.pipeline, levels)
    report.findings.extend(finding.at(split.name) for finding in found)
    return content


def _is_unlabelled_test(split: Split, content: Any) -> bool:
    """Whether a file is that of a test set whose annotations are not given away."""
    test = "test" in split.name.lower() and (split.test_mode or not split.dataset)
    return test and isinstance(content, dict) and not content.get("annotations")


def _table(content: Any, split: Split, found: Sequence[Finding]) -> Table | None:
    """The records as arrays; None where they can't be read."""
    if any(finding.code in UNREADABLE for finding in found):
        return None
    return make_table(content, split.classes)


def _together(report: Report, contents: Mapping[str, Any]) -> list[Finding]:
    """Findings about the splits together."""
    if len(report.tables) < 2:
        return []
    found = check_classes(report.tables, {split.name: split.classes for split in report.splits})
    found += check_sequences(
        {name: contents[name]["images"] for name in report.tables},
        {name: contents[name].get("videos") for name in report.tables},
    )
    if len(report.facts) > 1:
        found += compare_levels(report.facts)
        copies, pairs = check_near_copies(report.facts)
        found += copies
        report.figures["near_copies"] = {key: len(rows) for key, rows in pairs.items()}
    return found
