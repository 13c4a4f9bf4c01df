"""What `tools/check_data.py` does: read the splits, check them one by one and together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmthermal.checking.anchors import check_anchors
from mmthermal.checking.annotations import check_annotations
from mmthermal.checking.finding import Finding, has_errors, worst_first
from mmthermal.checking.image_facts import ImageFacts, measure_all
from mmthermal.checking.images import check_images
from mmthermal.checking.levels import check_levels, compare_levels, describe_levels
from mmthermal.checking.objects import describe
from mmthermal.checking.sources import Split, splits_of_config, splits_of_folder
from mmthermal.checking.splits import (
    check_classes,
    check_near_copies,
    check_sequences,
    sequence_key,
    sequences,
)
from mmthermal.checking.table import Table, make_table
from mmthermal.common.files import read_json


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
        source: a config file (``.py``), or a folder.
        ann_files: annotation files of a folder, from the folder on; found if empty.
        img_dir: folder of the images, from the folder on; found if None.
        cfg_options: settings that replace those of the config.
        images: whether to open the pictures.
        workers: threads that read pictures.
        say: takes lines about the progress.

    Returns:
        what was found.

    Raises:
        FileNotFoundError: if the config, the folder or an annotation file does not exist.
        ValueError: if an annotation file is not JSON, or the config has none.
    """
    cfg = None
    if Path(source).suffix == ".py":
        cfg = Config.fromfile(str(source))
        cfg.merge_from_dict(dict(cfg_options or {}))
        splits = splits_of_config(cfg)
    else:
        splits = splits_of_folder(source, ann_files, img_dir)
    findings: list[Finding] = []
    contents: dict[str, Any] = {}
    tables: dict[str, Table] = {}
    facts: dict[str, list[ImageFacts]] = {}
    figures: dict[str, Any] = {}
    for split in splits:
        content = read_json(split.ann_file, what=f"the annotation file of {split.name}")
        found = check_annotations(
            content,
            split.ann_file,
            classes=split.classes,
            filter_cfg=split.filter_cfg,
            test_mode=split.test_mode,
        )
        findings += [finding.at(split.name) for finding in found]
        table = _table(content, split, found)
        if table is None:
            continue
        contents[split.name], tables[split.name] = content, table
        figures[split.name] = describe(table)
        if images:
            say(f"{split.name}: {len(table.file_names)} pictures")
            paths = [Path(split.img_dir) / name for name in table.file_names]
            facts[split.name] = measure_all(paths, workers=workers)
            findings += _picture_findings(split.name, content, table, facts[split.name])
            figures[split.name]["pictures"] = describe_levels(facts[split.name])
    findings += _together(splits, contents, tables, facts, figures)
    if cfg is not None and splits[0].name in tables:
        found, figures["anchors"] = check_anchors(
            tables[splits[0].name], cfg.get("model") or {}, splits[0].pipeline
        )
        findings += [finding.at(splits[0].name) for finding in found]
    return Report(str(source), worst_first(findings), figures, splits, tables, facts)


def _table(content: Any, split: Split, found: Sequence[Finding]) -> Table | None:
    """The records as arrays; None where they can't be read."""
    unreadable = {"not-coco", "no-categories", "no-images", "missing-field", "not-a-number",
                  "not-an-id", "not-a-name"}  # fmt: skip
    if any(finding.code in unreadable for finding in found):
        return None
    return make_table(content, split.classes)


def _picture_findings(
    name: str, content: Any, table: Table, facts: Sequence[ImageFacts]
) -> list[Finding]:
    """Findings about a split's pictures."""
    records = content["images"]
    of_image = sequences(records, sequence_key(records))
    found = [*check_images(facts, table.sizes), *check_levels(facts, of_image)]
    return [finding.at(name) for finding in found]


def _together(
    splits: Sequence[Split],
    contents: Mapping[str, Any],
    tables: Mapping[str, Table],
    facts: Mapping[str, Sequence[ImageFacts]],
    figures: dict[str, Any],
) -> list[Finding]:
    """Findings about the splits together."""
    if len(tables) < 2:
        return []
    found = check_classes(tables, {split.name: split.classes for split in splits})
    found += check_sequences({name: content["images"] for name, content in contents.items()})
    if len(facts) > 1:
        found += compare_levels(facts)
        copies, pairs = check_near_copies(facts)
        found += copies
        figures["near_copies"] = {key: len(rows) for key, rows in pairs.items()}
    return found
