"""What `tools/convert.py` does: read a format, write COCO files, say what was left out."""

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmthermal.common.checks import check_choice
from mmthermal.common.files import copy_file, write_json
from mmthermal.common.installed import tool_command
from mmthermal.convert.flir import read_flir_v1, read_flir_v2
from mmthermal.convert.flir_aligned import read_flir_aligned
from mmthermal.convert.hituav import read_hituav
from mmthermal.convert.iphd import read_iphd
from mmthermal.convert.kaist import read_kaist
from mmthermal.convert.labels import LabelSet, LeftOut
from mmthermal.convert.llvip import read_llvip
from mmthermal.convert.m3fd import read_m3fd
from mmthermal.convert.outputs import check_file_names, check_outputs
from mmthermal.convert.to_coco import CROWD, Classes, to_coco
from mmthermal.convert.voc import read_voc
from mmthermal.convert.yolo import read_yolo

FORMATS: dict[str, Callable[..., list[LabelSet]]] = {
    "voc": read_voc,
    "yolo": read_yolo,
    "flir-v1": read_flir_v1,
    "flir-v2": read_flir_v2,
    "flir-aligned": read_flir_aligned,
    "kaist": read_kaist,
    "llvip": read_llvip,
    "m3fd": read_m3fd,
    "hituav": read_hituav,
    "iphd": read_iphd,
}
"""Readers by the name of their format."""
WITH_LISTS = ("voc", "kaist", "m3fd")
"""Formats whose splits can be given as text files."""
WITH_BITS = ("flir-v1", "flir-v2")
"""Formats that ship pictures of 8 and of 16 bits."""


@dataclass(frozen=True)
class Converted:
    """One file that was written.

    Args:
        split: its name.
        path: of the COCO file.
        images: number of images.
        objects: number of objects of each class, without crowd regions.
        crowd: number of crowd regions, each once, also where it is written for several classes.
        counts: what was left out or changed, by reason, with examples.
    """

    split: str
    path: Path
    images: int
    objects: dict[str, int]
    crowd: int
    counts: LeftOut


def convert(
    kind: str,
    source: str | Path,
    out: str | Path,
    *,
    classes: Classes | None = None,
    lists: Mapping[str, str | Path] | None = None,
    bits: int | None = None,
    copy: bool = False,
    overwrite: bool = False,
) -> list[Converted]:
    """Convert a set's labels to COCO files, one for each split.

    Args:
        kind: the format, one of ``FORMATS``.
        source: the folder as its publisher ships it.
        out: folder for ``SPLIT.json``, and for ``images`` with ``copy``.
        classes: which to keep, and how they are called; all if None.
        lists: text files with the images of a split, by split, from ``source`` on.
        bits: 8 or 16, for sets that have both; 8 if None.
        copy: whether to copy the images; else they stay, and file names start from ``source``.
        overwrite: whether to replace files that are there; what is read is never replaced.

    Returns:
        what was written.

    Raises:
        FileExistsError: if a file to write is there already, without ``overwrite``.
        FileNotFoundError: if a folder or file of the format is missing.
        ValueError: for an unknown format, a setting that it does not have, no image at all, or a
            file to write that is an input.
    """
    check_choice("format", kind, tuple(FORMATS))
    root = Path(source)
    if not root.is_dir():
        raise FileNotFoundError(f"the folder {str(source)!r} does not exist: check the path")
    settings: dict[str, Any] = {}
    if lists:
        check_choice("lists are for the formats; format", kind, WITH_LISTS)
        check_file_names("lists", lists)
        settings["lists"] = {split: root / path for split, path in lists.items()}
    if bits is not None:
        check_choice("bits are for the formats; format", kind, WITH_BITS)
        settings["bits"] = bits
    sets = FORMATS[kind](root, **settings)
    classes = classes or Classes()
    order = classes.order(sets)
    results = [(labels.split, *to_coco(labels, root, order, classes)) for labels in sets]
    if not any(content["images"] for _, content, _ in results):
        words = "; ".join(line for _, _, counts in results for line in _reasons(counts))
        raise ValueError(f"no image is left ({words or 'the folder has none'})")
    copies = _copies([content for _, content, _ in results], root, Path(out)) if copy else {}
    paths = [Path(out) / f"{split}.json" for split, _, _ in results]
    inputs = [path for s in sets for path in (*s.files, *(image.path for image in s.images))]
    check_outputs([*paths, *copies], inputs, overwrite=overwrite)
    for target, picture in copies.items():  # before the labels, which thus never lack a picture
        copy_file(picture, target)
    return [
        _write(split, path, content, counts)
        for path, (split, content, counts) in zip(paths, results, strict=True)
    ]


def _reasons(counts: LeftOut) -> list[str]:
    """What was left out or changed, most often first, each with an example."""
    return [
        f"{number:,} × {'' if reason.startswith('kept: ') else 'left out: '}{reason} "
        f"(first: {counts.examples[reason]})"
        for reason, number in sorted(counts.items(), key=lambda item: -item[1])
    ]


def _copies(contents: Iterable[Mapping[str, Any]], root: Path, out: Path) -> dict[Path, Path]:
    """Pictures to copy, by where to."""
    names = [image["file_name"] for content in contents for image in content["images"]]
    outside = next((name for name in names if name.startswith("../")), None)
    if outside is not None:
        raise ValueError(
            f"{outside!r} lies outside of {str(root)!r}: give the folder that holds all images, or "
            "leave --copy out"
        )
    return {out / "images" / name: root / name for name in names}


def _write(split: str, path: Path, content: dict[str, Any], counts: LeftOut) -> Converted:
    """Write one split."""
    write_json(path, content, indent=None)
    names = {category["id"]: category["name"] for category in content["categories"]}
    objects = Counter({name: 0 for name in names.values()})
    objects.update(names[a["category_id"]] for a in content["annotations"] if not a["iscrowd"])
    return Converted(split, path, len(content["images"]), dict(objects), counts[CROWD], counts)


def to_text(converted: list[Converted], source: str | Path, out: str | Path, copy: bool) -> str:
    """Lines for the terminal: what was written, what was left out, and the settings to use."""
    lines = []
    for one in converted:
        classes = ", ".join(f"{name} {number:,}" for name, number in one.objects.items())
        lines.append(
            f"{one.path}: {one.images:,} images, {sum(one.objects.values()):,} objects "
            f"({classes}), {one.crowd:,} crowd"
        )
        lines += [f"  {line}" for line in _reasons(one.counts)]
    names = tuple(converted[0].objects)
    img_dir = os.path.relpath(Path(out) / "images" if copy else source, out)
    lines += [
        "",
        "In the config:",
        f"  model.…num_classes={len(names)}; metainfo.classes={names}",
        f"  data_root={str(out)!r}; ann_file={converted[0].path.name!r}; "
        f"data_prefix=dict(img={img_dir!r})",
        f"Next: {tool_command('check_data')} {shlex.join([str(out), '--img-dir', img_dir])}",
    ]
    return "\n".join(lines)
