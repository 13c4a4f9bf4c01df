"""Findings about the splits together: classes, shared sequences, near copies."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from mmthermal.checking.finding import Finding, some
from mmthermal.checking.hashing import near_copies
from mmthermal.checking.image_facts import ImageFacts
from mmthermal.checking.table import Table
from mmthermal.common.split_words import split_of

SEQUENCE_KEYS = ("sequence", "sequence_id", "seq_id", "block", "video_id", "video", "clip", "scene")
"""Fields of an image record, or of its ``extra_info``, that name a sequence, best first."""
_ROBOFLOW = re.compile(r"(_(jpe?g|png|bmp|tiff?|webp))?\.rf\.\w+$", re.IGNORECASE)
LEAK = 0.01
"""Share of near copies from which a split counts as leaking."""


def sequence_key(images: Sequence[Mapping[str, Any]]) -> str:
    """The field that names the sequences of a set.

    Args:
        images: the image records.

    Returns:
        the first of ``SEQUENCE_KEYS`` that all records have; empty if there is none.
    """
    for key in SEQUENCE_KEYS:
        if images and all(_field(image, key) is not None for image in images):
            return key
    return ""


def sequences(images: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """The sequence of each image.

    Args:
        images: the image records.
        key: field of the records; empty to go by the file names: their folder, and the name
            without its last number.

    Returns:
        a name for each image.
    """
    if key:
        return [str(_field(image, key)) for image in images]
    return [sequence_of_name(str(image["file_name"])) for image in images]


def sequence_of_name(file_name: str) -> str:
    """A file name without its ending and its last number: ``set00/V001`` of ``set00/V001/I7.jpg``.

    Letters and signs about the number go with it where a folder or another number remains. Folders
    named after a split, such as ``train``, are no part, as a sequence may lie in several; nor is
    what Roboflow puts behind a name, ``_jpg.rf.`` and a hash that differs between copies.
    """
    path = PurePosixPath(file_name.replace("\\", "/"))
    name = _ROBOFLOW.sub("", path.stem)
    stem = re.sub(r"[^0-9a-zA-Z]*[a-zA-Z]*\d+$", "", name)
    folders = [part for part in path.parent.parts if split_of(part) is None]
    found = str(PurePosixPath(*folders, stem))
    return "" if found == "." else found


def _field(image: Mapping[str, Any], key: str) -> Any:
    extra = image.get("extra_info")
    return image.get(key, extra.get(key) if isinstance(extra, Mapping) else None)


def check_classes(tables: Mapping[str, Table], asked: Mapping[str, Any]) -> list[Finding]:
    """Classes that another split numbers otherwise.

    Args:
        tables: records by split, the training set first.
        asked: by split the ``metainfo.classes`` of the config, or None.
    """
    findings = []
    order = {
        name: tuple(n for n, wanted in zip(table.names, table.wanted, strict=True) if wanted)
        if asked.get(name) is not None
        else table.names
        for name, table in tables.items()
    }
    names = list(order)
    for other in names[1:]:
        first = names[0]
        if order[other] == order[first]:
            continue
        findings.append(
            Finding(
                "error",
                "classes-differ",
                f"{first} lists the classes {', '.join(order[first][:12])}; {other} lists "
                f"{', '.join(order[other][:12])}: labels are numbered in this order",
                "list the same categories in the same order in both files; metainfo.classes, alike "
                "for all splits, chooses classes, but changes no order",
                where=f"{first}, {other}",
            )
        )
    return findings


def check_sequences(
    images: Mapping[str, Sequence[Mapping[str, Any]]],
    videos: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """Sequences that two splits share.

    A file may number its sequences for itself: their names are compared where the files list them,
    and numbers from 0 or 1 on without a gap in both files are only noted.

    Args:
        images: image records by split.
        videos: by split what the file has under ``videos``, as CocoVID's: a list of objects with
            ``id`` and ``name``; anything else counts as none.
    """
    videos = videos or {}
    findings = []
    names = list(images)
    for i, first in enumerate(names):
        for other in names[i + 1 :]:
            key = sequence_key([*images[first], *images[other]])
            if not key:
                continue
            pair = [images[first], images[other]]
            named = [_named(images[name], key, videos.get(name)) for name in (first, other)]
            own = not all(named) and _numbered_alike(pair, key)
            before, now = named if all(named) else [sequences(records, key) for records in pair]
            shared = sorted(set(before) & set(now))
            if shared:
                findings.append(_shared(first, other, key, shared, now, own=own))
    return findings


def _named(images: Sequence[Mapping[str, Any]], key: str, videos: Any) -> list[str]:
    """The name of each image's video; empty where one is not known."""
    if key != "video_id" or not isinstance(videos, list):
        return []
    rows = [row for row in videos if isinstance(row, Mapping) and row.get("name")]
    names = {str(row.get("id")): str(row["name"]) for row in rows}
    found = [names.get(video, "") for video in sequences(images, key)]
    return found if all(found) else []


def _numbered_alike(splits: Sequence[Sequence[Mapping[str, Any]]], key: str) -> bool:
    """Whether the sequences of all splits are whole numbers from the same 0 or 1 on, gapless."""
    starts = set()
    for images in splits:
        values = [_field(image, key) for image in images]
        if set(map(type, values)) != {int}:
            return False
        if max(values) - min(values) >= len(set(values)):
            return False
        starts.add(min(values))
    return starts in ({0}, {1})


def _shared(
    first: str, other: str, key: str, shared: Sequence[str], now: Sequence[str], *, own: bool
) -> Finding:
    """The finding about sequences of one split that are in another, too."""
    count = sum(name in set(shared) for name in now)
    message = f"{other} shares {len(shared)} sequences ({key}) with {first}: {count} of {len(now)} "
    remedy = (
        f"split by sequence: tools/split.py --by {key}; figures on {other} are better than those "
        "on new scenes will be"
    )
    if own:
        message += f"of its images, by numbers from {min(map(int, shared))} on in both files"
        remedy = f"nothing, where each file numbers its own sequences from there on; else {remedy}"
    else:
        message += "of its images have neighbours there"
    return Finding(
        "note" if own else "warning",
        "shared-sequences",
        message,
        remedy,
        where=f"{first}, {other}",
        count=count,
        total=len(now),
        examples=some(shared),
    )


def check_near_copies(
    facts: Mapping[str, Sequence[ImageFacts]],
) -> tuple[list[Finding], dict[str, Any]]:
    """Pictures of one split that have a near copy in another, or are the same file.

    Args:
        facts: of the pictures by split.

    Returns:
        findings; and by pair of splits the near copies as pairs of paths.
    """
    findings: list[Finding] = []
    pairs: dict[str, list[tuple[str, str]]] = {}
    good = {name: [f for f in rows if not f.problem and f.hash] for name, rows in facts.items()}
    names = list(good)
    hashes = {name: np.array([f.hash for f in good[name]], np.uint64) for name in names}
    small = {name: np.array([f.small for f in good[name]]) for name in names}
    for i, first in enumerate(names):
        for other in names[i + 1 :]:
            if not good[first] or not good[other]:
                continue
            found = near_copies(hashes[first], small[first], hashes[other], small[other])
            pairs[f"{first}, {other}"] = [
                (good[first][a].path, good[other][b].path) for a, b in found
            ]
            count = len({b for _, b in found})
            total = len(good[other])
            if not count:
                continue
            findings.append(
                Finding(
                    "warning" if count >= LEAK * total else "note",
                    "near-copies",
                    f"{count} of {total} pictures of {other} ({count / total:.1%}) have a near "
                    f"copy in {first}",
                    "split by sequence or by near copies (tools/split.py --by near-copies): a "
                    "detector that has learnt pictures by heart looks good here",
                    where=f"{first}, {other}",
                    count=count,
                    total=total,
                    examples=some(
                        f"{good[first][a].path} ~ {good[other][b].path}" for a, b in found
                    ),
                )
            )
    return findings, pairs
