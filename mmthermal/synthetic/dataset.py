"""The embedded data set: synthetic low-resolution thermal images with COCO annotations."""

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.common.checks import check_count
from mmthermal.common.files import whole_folder, write_text
from mmthermal.synthetic.annotations import annotate, describe
from mmthermal.synthetic.preview import write_preview
from mmthermal.synthetic.rendering import Rendered, render
from mmthermal.synthetic.scene import compose
from mmthermal.synthetic.sensor import expose, fixed_pattern
from mmthermal.synthetic.settings import CLASSES, SPLITS, SceneSettings, SyntheticSettings

VERSION = 2
"""Raised whenever the same settings give other files."""

_OWN_FILES = {*SPLITS, "annotations", "info.json", "preview.png"}


def make_synthetic(
    out_dir: str | os.PathLike[str],
    *,
    num_train: int = 1200,
    num_val: int = 300,
    num_test: int = 300,
    seed: int = 0,
    size: tuple[int, int] = (160, 120),
    classes: Sequence[str] = CLASSES,
    objects: float = 3.6,
    overlap: float = 0.4,
    empty: float = 0.04,
    clutter: float = 2.2,
    clutter_share: float = 1.0,
    supersample: int = 3,
    netd: float = 0.05,
    bad_pixels: float = 1e-5,
    cameras: int = 8,
    box: str = "visible",
    min_visible: float = 0.25,
    min_side: float = 3.0,
    workers: int = 1,
    preview: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Make the data set, or find it there already.

    The files depend on the settings alone: not on NumPy's global state, nor on `workers`; image i
    of a split does not depend on the number of images. A second call with the same settings
    does nothing. The folder appears whole or not at all.

    Args:
        out_dir: folder of the data set; its parent is made if need be.
        num_train: images of the training split, >= 0.
        num_val: images of the validation split, >= 0.
        num_test: images of the test split, >= 0.
        seed: root of all random numbers, >= 0; splits and images have seeds of their own.
        size: (width, height) in pixels, 32 to 1280 each.
        classes: names out of `CLASSES`; category ids count from 1 in this order.
        objects: mean number of objects of an image that has any, 1 to 20.
        overlap: wanted share of objects whose box has an IoU > 0.1 with another, 0 to 0.8.
        empty: share of images without objects, 0 to 1.
        clutter: mean number of warm things that are not objects, per image that has any, 0 to 20.
        clutter_share: share of images that may have any, 0 to 1.
        supersample: subpixels along each side of a pixel, 1 to 8.
        netd: temporal noise, kelvin.
        bad_pixels: share of stuck pixels.
        cameras: different fixed patterns of each split.
        box: 'visible' or 'full': which box `bbox` holds; both are in the file.
        min_visible: objects less visible than this share become `iscrowd=1`.
        min_side: so do objects with a shorter side of the box, pixels.
        workers: processes, >= 1.
        preview: also write `preview.png`, a sheet of pictures with boxes.
        overwrite: replace a data set made with other settings.

    Returns:
        the content of `info.json`: `settings`, `version` and `statistics`.

    Raises:
        TypeError: a setting of the wrong type.
        ValueError: a setting out of its range.
        FileExistsError: the folder holds something else, or other settings without `overwrite`.
    """
    settings = SyntheticSettings(
        num_train=num_train,
        num_val=num_val,
        num_test=num_test,
        seed=seed,
        scene=SceneSettings(
            size=tuple(size),  # type: ignore[arg-type]
            classes=tuple(classes),
            objects=objects,
            overlap=overlap,
            empty=empty,
            clutter=clutter,
            clutter_share=clutter_share,
            supersample=supersample,
        ),
        netd=netd,
        bad_pixels=bad_pixels,
        cameras=cameras,
        box=box,
        min_visible=min_visible,
        min_side=min_side,
    )
    settings.check()
    check_count("workers", workers, 1)
    out = Path(out_dir)
    found = _existing(out, settings, overwrite)
    if found is not None:
        if preview and not (out / "preview.png").exists():
            write_preview(out, out / "preview.png")
        return found
    with whole_folder(out) as work:
        info = _write_all(work, settings, workers)
        if preview:
            write_preview(work, work / "preview.png")
    return info


def _existing(out: Path, settings: SyntheticSettings, overwrite: bool) -> dict[str, Any] | None:
    """Content of `info.json` if the folder holds this data set, None if it is to be made."""
    if not out.exists():
        return None
    if not out.is_dir():
        raise FileExistsError(f"{out} is a file: give a folder for the data set")
    strangers = sorted(p.name for p in out.iterdir() if p.name not in _OWN_FILES)
    if strangers:
        raise FileExistsError(
            f"{out} holds files that do not belong to a synthetic data set "
            f"({', '.join(strangers[:5])}): move them or give another folder"
        )
    if not any(out.iterdir()):
        return None
    try:
        info: dict[str, Any] = json.loads((out / "info.json").read_text())
        old, version = info["settings"], info["version"]
    except (OSError, ValueError, KeyError, TypeError):
        if overwrite:
            return None
        raise FileExistsError(
            f"{out} is not empty and has no readable info.json: give another folder, "
            "or replace it with --overwrite"
        ) from None
    new = settings.plain()
    old = {"clutter_share": 1.0, **old}  # sets made before there was a choice
    differ = [
        f"{k}: {old.get(k)!r} there, {new[k]!r} asked for" for k in new if old.get(k) != new[k]
    ]
    if version != VERSION:
        differ.append(f"version of the generator: {version!r} there, {VERSION!r} now")
    if not differ:
        for split in SPLITS:
            there = sum(1 for _ in (out / split).glob("*.png"))
            if (
                there != new[f"num_{split}"]
                or not (out / "annotations" / f"{split}.json").is_file()
            ):
                differ.append(f"{split}: {there} images there, {new[f'num_{split}']} expected")
    if not differ:
        return info
    if overwrite:
        return None
    raise FileExistsError(
        f"{out} holds a synthetic data set with other settings ({'; '.join(differ)}): "
        "give another folder, or replace it with --overwrite"
    )


def draw_image(
    settings: SyntheticSettings, split: str, index: int
) -> tuple[NDArray[np.uint16], Rendered]:
    """One image of the data set.

    Args:
        settings: as checked.
        split: 'train', 'val' or 'test'.
        index: number of the image within the split, >= 0.

    Returns:
        raw counts (H, W), uint16, and the rendered scene before the sensor.
    """
    number = SPLITS.index(split)
    sequence = np.random.SeedSequence(settings.seed, spawn_key=(number, 0, index))
    scene_rng, render_rng, sensor_rng = (np.random.default_rng(s) for s in sequence.spawn(3))
    scene = compose(scene_rng, settings.scene)
    rendered = render(render_rng, scene, settings.scene)
    camera = int(sensor_rng.integers(settings.cameras))
    pattern = fixed_pattern(
        settings.seed, (number, 1, camera), settings.scene.size, settings.bad_pixels
    )
    frame = expose(
        sensor_rng,
        rendered.radiance,
        pattern,
        factor=settings.scene.supersample,
        netd=settings.netd,
    )
    return frame, rendered


def _draw_and_write(
    settings: SyntheticSettings, root: str, split: str, index: int
) -> tuple[list[dict[str, Any]], dict[str, Any], tuple[int, float, float]]:
    """Write one image.

    Returns:
        its annotations with ids from 0, its COCO record, and number, sum and sum of squares of
        its counts.
    """
    frame, rendered = draw_image(settings, split, index)
    name = f"{split}_{index:05d}.png"
    good, data = cv2.imencode(".png", frame, [cv2.IMWRITE_PNG_COMPRESSION, 2])
    if not good:
        raise RuntimeError(f"OpenCV can't encode {name}")
    (Path(root) / split / name).write_bytes(data.tobytes())
    width, height = settings.scene.size
    image = {"id": index + 1, "file_name": name, "width": width, "height": height}
    values = frame.astype(np.float64)
    sums = (frame.size, float(values.sum()), float((values**2).sum()))
    return annotate(rendered.instances, settings, index + 1, 0), image, sums


def _work(settings: SyntheticSettings, root: str, job: tuple[str, int]) -> Any:
    return _draw_and_write(settings, root, *job)


def _results(
    settings: SyntheticSettings, root: Path, split: str, workers: int
) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any], tuple[int, float, float]]]:
    jobs = list(zip(repeat(split), range(getattr(settings, f"num_{split}"))))
    task = partial(_work, settings, str(root))
    if workers == 1:
        yield from map(task, jobs)
        return
    with ProcessPoolExecutor(
        workers, mp_context=get_context("fork"), initializer=cv2.setNumThreads, initargs=(0,)
    ) as pool:
        yield from pool.map(task, jobs, chunksize=16)


def _write_all(root: Path, settings: SyntheticSettings, workers: int) -> dict[str, Any]:
    (root / "annotations").mkdir()
    statistics = {}
    for split in SPLITS:
        (root / split).mkdir()
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        total = np.zeros(3)
        for found, image, sums in _results(settings, root, split, workers):
            shift = len(annotations) + 1
            for item in found:
                item["id"] += shift
                item["occluded_by"] = [i + shift for i in item["occluded_by"]]
            annotations += found
            images.append(image)
            total += sums
        coco = {
            "info": {
                "description": "synthetic thermal scenes",
                "version": str(VERSION),
                "split": split,
            },
            "licenses": [],
            "categories": [{"id": i + 1, "name": n} for i, n in enumerate(settings.scene.classes)],
            "images": images,
            "annotations": annotations,
        }
        write_text(root / "annotations" / f"{split}.json", json.dumps(coco))
        statistics[split] = describe(coco, total)
    info = {"version": VERSION, "settings": settings.plain(), "statistics": statistics}
    write_text(root / "info.json", json.dumps(info, indent=1))
    return info
