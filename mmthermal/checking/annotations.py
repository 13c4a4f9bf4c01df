"""The check of an annotation file: seconds for 100,000 images, no picture is opened."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmthermal.checking.boxes import check_boxes, check_rotations
from mmthermal.checking.finding import SEVERITIES, Finding, has_errors, in_words, some, worst_first
from mmthermal.checking.records import UNREADABLE, check_records
from mmthermal.checking.table import Table, kept_images, make_table
from mmthermal.common.installed import tool_command

CODES = frozenset(
    (
        *UNREADABLE,
        "all-crowd",
        "annotation-id-0",
        "area-differs",
        "box-below-one-pixel",
        "box-of-two-classes",
        "box-outside-image",
        "box-over-the-border",
        "boxes-of-another-scale",
        "class-not-listed",
        "class-order",
        "corner-boxes",
        "crowd-regions",
        "duplicate-annotation-id",
        "duplicate-box",
        "duplicate-category-id",
        "duplicate-category-name",
        "duplicate-file-name",
        "duplicate-image-id",
        "empty-images",
        "ignore-not-a-number",
        "ignored-objects",
        "image-size",
        "images-filtered",
        "iscrowd-not-a-number",
        "near-duplicate-box",
        "negative-side",
        "no-area",
        "no-images-left",
        "no-iscrowd",
        "no-objects-left",
        "normalised-boxes",
        "other-classes",
        "rare-classes",
        "rotated-box",
        "similar-category-names",
        "string-id",
        "unknown-category-id",
        "unknown-image-id",
        "unsorted-categories",
        "unused-classes",
    )
)
"""Codes of all that :func:`check_annotations` can find."""
DOUBTFUL = ("boxes-of-another-scale", "negative-side", "unknown-image-id")
"""Errors that mmdet trains on in spite of them, and public sets are known for.

Amodal boxes reach far over the border; some boxes are broken, and some images were taken out. Where
nothing is left, that is an error of its own.
"""
FEW = 10
"""A class with fewer objects than this is pointed out."""


def check_annotations(
    content: Any,
    path: str | Path,
    *,
    classes: Collection[str] | None = None,
    filter_cfg: Mapping[str, Any] | None = None,
    test_mode: bool = False,
    labelled: bool = True,
) -> list[Finding]:
    """Find what mmdet would drop, misread or fail on in a COCO file.

    Args:
        content: what the JSON file holds.
        path: of the file, for the findings' place.
        classes: names of the classes that the training asks for, in the order of their labels;
            all of the file if None.
        filter_cfg: the data set's ``filter_cfg``.
        test_mode: the data set's ``test_mode``: nothing is filtered.
        labelled: whether annotations are needed, as they are for training and evaluation.

    Returns:
        findings, worst first. An error says that a training or its evaluation would fail, or
        would learn from something else than the file means.
    """
    findings = check_records(content, labelled=labelled)
    if not has_errors(findings) or _only_references(findings):
        table = make_table(content, classes)
        ids = [annotation["id"] for annotation in content.get("annotations", [])]
        findings += check_boxes(table, ids)
        findings += check_rotations(content.get("annotations", []))
        findings += _order(table, classes)
        findings += _classes(table, classes)
        if labelled:
            findings += _what_is_left(table, filter_cfg, test_mode)
    return worst_first(finding.at(str(path)) for finding in findings)


def what_mmdet_reads(
    content: Any, classes: Collection[str] | None, findings: Sequence[Finding]
) -> str:
    """Count what a data set is made of, in a line for the log.

    Args:
        content: what the JSON file holds; :func:`check_annotations` could read it.
        classes: names of the classes that the training asks for; all of the file if None.
        findings: of the check.

    Returns:
        numbers of images, objects, crowd regions, what is dropped by reason, and findings.
    """
    table = make_table(content, classes)
    counts = {name: int(mask.sum()) for name, mask in table.reasons.items() if name != "kept"}
    dropped = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items() if n)
    levels = Counter(finding.severity for finding in findings)
    found = in_words({kind: levels[kind] for kind in SEVERITIES if levels[kind]})
    listed = f"{found}, listed by {tool_command('check_data')}"
    return (
        f"{len(table.file_names)} images, {int(table.objects.sum())} objects, "
        f"{int((table.kept & table.crowd).sum())} crowd regions"
        f"{'; not trained on: ' + dropped if dropped else ''}"
        f"{'; ' + listed if found else ''}"
    )


def _only_references(findings: list[Finding]) -> bool:
    """Whether the errors leave the boxes readable."""
    readable = {
        "unknown-image-id",
        "string-id",
        "duplicate-annotation-id",
        "duplicate-image-id",
        "iscrowd-not-a-number",
        "ignore-not-a-number",
    }
    return all(f.code in readable for f in findings if f.severity == "error")


def _order(table: Table, classes: Collection[str] | None) -> list[Finding]:
    """Classes that are asked for in another order than the file's, in which mmdet numbers them."""
    if not isinstance(classes, Sequence):
        return []
    listed = tuple(dict.fromkeys(name for name in table.names if name in classes))
    asked = tuple(dict.fromkeys(name for name in classes if name in table.names))
    if asked == listed:
        return []
    moved = [name for name, other in zip(asked, listed, strict=True) if name != other]
    return [
        Finding(
            "error",
            "class-order",
            f"the file lists its categories in the order {listed}, the classes are {asked}: mmdet "
            "numbers labels in the file's order, so the names would be mixed up",
            f"set metainfo=dict(classes={listed}) for all splits, or list the file's categories in "
            "the other order",
            count=len(moved),
            total=len(asked),
            examples=some(moved),
        )
    ]


def _classes(table: Table, classes: Collection[str] | None) -> list[Finding]:
    """Classes that are asked for and missing, listed and unused, or rare."""
    findings = []
    missing = [name for name in classes or () if name not in table.names]
    if missing:
        findings.append(
            Finding(
                "error",
                "class-not-listed",
                f"the training asks for {', '.join(map(repr, missing))}, which the file does not "
                f"list; it lists {', '.join(map(repr, table.names[:12]))}",
                "set metainfo.classes to names of the file, spelt in the same way",
                count=len(missing),
                total=len(classes or ()),
                examples=some(missing),
            )
        )
    if not table.objects.any():
        return findings
    objects = np.bincount(table.category_inds[table.objects], minlength=len(table.names))
    unused = [table.names[i] for i in np.flatnonzero(table.wanted & (objects == 0))]
    if unused:
        asked = int(table.wanted.sum())
        findings.append(
            Finding(
                "warning",
                "unused-classes",
                f"{asked} classes are listed, {asked - len(unused)} have objects",
                "set metainfo.classes and num_classes to those with objects: classes without any "
                "cost memory and lead to false detections",
                count=len(unused),
                total=asked,
                examples=some(unused),
            )
        )
    rare = [i for i in np.flatnonzero(table.wanted & (objects > 0) & (objects < FEW))]
    if rare:
        findings.append(
            Finding(
                "note",
                "rare-classes",
                f"{len(rare)} classes have fewer than {FEW} objects",
                "their AP is chance: label more, join classes, or leave them out",
                count=len(rare),
                total=len(table.names),
                examples=some(f"{table.names[i]}: {objects[i]}" for i in rare),
            )
        )
    return findings


def _what_is_left(
    table: Table, filter_cfg: Mapping[str, Any] | None, test_mode: bool
) -> list[Finding]:
    """What mmdet's own filters leave."""
    findings = []
    images = kept_images(table, filter_cfg, test_mode=test_mode)
    total = len(images)
    if not images.any():
        findings.append(
            Finding(
                "error",
                "no-images-left",
                f"none of {total} images passes filter_cfg={dict(filter_cfg or {})}: mmdet fails "
                "with 'need at least one array to concatenate'",
                "correct width and height of the image records, or set filter_cfg",
                count=total,
                total=total,
            )
        )
    elif not images.all():
        findings.append(
            Finding(
                "note",
                "images-filtered",
                f"{total - int(images.sum())} of {total} images do not pass "
                f"filter_cfg={dict(filter_cfg or {})}",
                "set filter_empty_gt=False to train on frames without objects as well",
                count=total - int(images.sum()),
                total=total,
                examples=some(table.file_names[i] for i in np.flatnonzero(~images)),
            )
        )
    reasons = table.reasons
    on_kept = images[table.image_inds] & (table.image_inds >= 0)
    objects = table.objects & on_kept
    if not objects.any():
        words = {name: int(mask.sum()) for name, mask in reasons.items() if name != "kept"}
        words["crowd"] = int((reasons["kept"] & table.crowd).sum())
        lost = ", ".join(f"{count} {name}" for name, count in words.items() if count)
        findings.append(
            Finding(
                "error",
                "no-objects-left",
                f"no object is left of {len(table.boxes)} annotations ({lost or 'none'})",
                "correct what is named here: a training would end with a box loss of 0 and an AP "
                "of 0 or -1",
                count=len(table.boxes),
                total=len(table.boxes),
            )
        )
        return findings
    empty = np.bincount(table.image_inds[objects], minlength=total) == 0
    if (empty & images).any():
        count = int((empty & images).sum())
        findings.append(
            Finding(
                "warning" if count > total / 2 else "note",
                "empty-images",
                f"{count} of {total} images have no object",
                "that is right for frames of background; else label them",
                count=count,
                total=total,
                examples=some(table.file_names[i] for i in np.flatnonzero(empty & images)),
            )
        )
    return findings
