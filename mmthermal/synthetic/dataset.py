"""The embedded data set: synthetic low-resolution thermal images with COCO annotations."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmthermal.synthetic.scene import (
    CLASSES,
    Instance,
    Rendered,
    SceneSettings,
    box_iou,
    compose,
    render,
)
from mmthermal.synthetic.sensor import expose, fixed_pattern

VERSION = 2
"""Raised whenever the same settings give other files."""

SPLITS = ("train", "val", "test")
OVERLAP_THRESHOLDS = (0.1, 0.3, 0.5)
_OWN_FILES = {*SPLITS, "annotations", "info.json", "preview.png"}
_COLOURS = ((60, 220, 255), (255, 170, 40), (90, 230, 90), (240, 90, 240))  # BGR


@dataclass(frozen=True)
class SyntheticSettings:
    """Everything that decides the content of the files.

    Attributes:
        num_train: images of the split, >= 0; the same for `num_val` and `num_test`.
        seed: root of all random numbers, >= 0.
        scene: what is drawn.
        netd: noise-equivalent temperature difference of the sensor, kelvin, >= 0.
        bad_pixels: share of pixels stuck at a rail, in [0, 0.1].
        cameras: different cameras (fixed patterns) of each split, >= 1.
        box: 'visible' or 'full': which box is written to `bbox`.
        min_visible: objects with a smaller visible share become crowd, in [0, 1].
        min_side: objects whose box has a shorter side become crowd, pixels, >= 0.
    """

    num_train: int
    num_val: int
    num_test: int
    seed: int
    scene: SceneSettings
    netd: float
    bad_pixels: float
    cameras: int
    box: str
    min_visible: float
    min_side: float

    def check(self) -> None:
        """Raise a ValueError that names the first setting out of its range."""
        scene = self.scene
        sizes = all(isinstance(s, int) and 32 <= s <= 1280 for s in scene.size)
        known = len(scene.classes) > 0 and set(scene.classes) <= set(CLASSES)
        differ = len(set(scene.classes)) == len(scene.classes)
        whole = isinstance(scene.supersample, int)
        rules: list[tuple[bool, str, object, str]] = [
            (isinstance(self.seed, int) and self.seed >= 0, "seed", self.seed, "an integer >= 0"),
            (len(scene.size) == 2 and sizes, "size", scene.size,
             "(width, height), integers from 32 to 1280"),
            (known and differ, "classes", scene.classes, f"different names out of {CLASSES}"),
            (1 <= scene.objects <= 20, "objects", scene.objects, "a number from 1 to 20"),
            (0 <= scene.overlap <= 0.8, "overlap", scene.overlap, "a share from 0 to 0.8"),
            (0 <= scene.empty <= 1, "empty", scene.empty, "a share from 0 to 1"),
            (0 <= scene.clutter <= 20, "clutter", scene.clutter, "a number from 0 to 20"),
            (0 <= scene.clutter_share <= 1, "clutter_share", scene.clutter_share,
             "a share from 0 to 1"),
            (whole and 1 <= scene.supersample <= 8, "supersample", scene.supersample,
             "an integer from 1 to 8"),
            (0 <= self.netd <= 5, "netd", self.netd, "kelvin, from 0 to 5"),
            (0 <= self.bad_pixels <= 0.1, "bad_pixels", self.bad_pixels, "a share from 0 to 0.1"),
            (isinstance(self.cameras, int) and self.cameras >= 1, "cameras", self.cameras,
             "an integer >= 1"),
            (self.box in ("visible", "full"), "box", self.box, "'visible' or 'full'"),
            (0 <= self.min_visible <= 1, "min_visible", self.min_visible, "a share from 0 to 1"),
            (self.min_side >= 0, "min_side", self.min_side, "pixels, >= 0"),
        ]  # fmt: skip
        for split in SPLITS:
            number = getattr(self, f"num_{split}")
            good = isinstance(number, int) and number >= 0
            rules.append((good, f"num_{split}", number, "an integer >= 0"))
        for good, name, value, allowed in rules:
            if not good:
                raise ValueError(f"{name}={value!r}: give {allowed}")
        if self.num_train + self.num_val + self.num_test == 0:
            raise ValueError("num_train, num_val and num_test are all 0: ask for an image at least")


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
    of a split is the same whatever the number of images. A second call with the same settings
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
        clutter: mean number of warm things that are no objects, per image that has any, 0 to 20.
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
    if not isinstance(workers, int) or workers < 1:
        raise ValueError(f"workers={workers!r}: give an integer >= 1")
    out = Path(out_dir)
    found = _existing(out, settings, overwrite)
    if found is not None:
        if preview and not (out / "preview.png").exists():
            write_preview(out, out / "preview.png")
        return found

    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        info = _write_all(work, settings, workers)
        if preview:
            write_preview(work, work / "preview.png")
        work.chmod(0o755)
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
            os.replace(out, old)
            os.replace(work, out)
            shutil.rmtree(old)
        else:
            os.replace(work, out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return info


def _plain(settings: SyntheticSettings) -> dict[str, Any]:
    """Settings as JSON gives them back."""
    flat = asdict(settings)
    flat |= flat.pop("scene")
    plain: dict[str, Any] = json.loads(json.dumps(flat))
    return plain


def _existing(out: Path, settings: SyntheticSettings, overwrite: bool) -> dict[str, Any] | None:
    """Content of `info.json` if the folder holds this data set, None if it is to be made."""
    if not out.exists():
        return None
    if not out.is_dir():
        raise FileExistsError(f"{out} is a file: give a folder for the data set")
    strangers = sorted(p.name for p in out.iterdir() if p.name not in _OWN_FILES)
    if strangers:
        raise FileExistsError(
            f"{out} holds files that are no part of a synthetic data set "
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
    new = _plain(settings)
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


def annotate(
    instances: Sequence[Instance], settings: SyntheticSettings, image_id: int, first_id: int
) -> list[dict[str, Any]]:
    """COCO annotations of one image.

    Args:
        instances: the objects of the rendered scene.
        settings: which box, what becomes crowd.
        image_id: id of the image.
        first_id: id of the first annotation.

    Returns:
        one dict per object of which at least a pixel is visible. Boxes are x, y, w, h in pixels.
        `iscrowd` 1 marks what nobody could label: less visible than `min_visible`, or smaller
        than `min_side`. mmdet and pycocotools ignore those in the evaluation.
    """
    step = settings.scene.supersample
    kept = []
    for item in instances:
        box = item.visible_box
        if box is None or (box[2] - box[0]) < 1 or (box[3] - box[1]) < 1:
            continue
        kept.append(item)
    ids = {item.index: first_id + n for n, item in enumerate(kept)}
    found = []
    for item in kept:
        assert item.visible_box is not None
        chosen = item.visible_box if settings.box == "visible" else item.full_box
        wide, tall = chosen[2] - chosen[0], chosen[3] - chosen[1]
        crowd = item.visible < settings.min_visible or min(wide, tall) < settings.min_side
        found.append(
            {
                "id": ids[item.index],
                "image_id": image_id,
                "category_id": settings.scene.classes.index(item.category) + 1,
                "bbox": _xywh(chosen, step),
                "bbox_visible": _xywh(item.visible_box, step),
                "bbox_full": _xywh(item.full_box, step),
                "area": round(wide * tall, 3),
                "iscrowd": int(crowd),
                "visible": round(item.visible, 4),
                "truncated": round(max(item.truncated, 0.0), 4),
                "depth": round(item.depth, 2),
                "occluded_by": [ids[i] for i in item.occluded_by if i in ids],
            }
        )
    return found


def _xywh(box: tuple[float, float, float, float], step: int) -> list[float]:
    values = (box[0], box[1], box[2] - box[0], box[3] - box[1])
    return [round(round(v * step) / step, 4) for v in values]


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
        (root / "annotations" / f"{split}.json").write_text(json.dumps(coco))
        statistics[split] = _describe(coco, total)
    info = {"version": VERSION, "settings": _plain(settings), "statistics": statistics}
    (root / "info.json").write_text(json.dumps(info, indent=1))
    return info


def _describe(coco: dict[str, Any], total: NDArray[np.float64]) -> dict[str, Any]:
    """Numbers of one split: images, objects, overlap, mean and deviation of the counts."""
    names = {c["id"]: c["name"] for c in coco["categories"]}
    plain = [a for a in coco["annotations"] if not a["iscrowd"]]
    per_class = dict.fromkeys(names.values(), 0)
    by_image: dict[int, list[dict[str, Any]]] = {}
    for item in plain:
        per_class[names[item["category_id"]]] += 1
        by_image.setdefault(item["image_id"], []).append(item)
    best = overlap_of(list(by_image.values()))
    mean = total[1] / total[0] if total[0] else 0.0
    square = total[2] / total[0] if total[0] else 0.0
    return {
        "images": len(coco["images"]),
        "images_without_objects": len(coco["images"])
        - len({a["image_id"] for a in coco["annotations"]}),
        "objects": len(plain),
        "crowd": len(coco["annotations"]) - len(plain),
        "objects_per_class": per_class,
        "overlap_share": {
            str(t): round(float(np.mean(best > t)), 4) if len(best) else 0.0
            for t in OVERLAP_THRESHOLDS
        },
        "hidden_by_half_share": round(float(np.mean([a["visible"] < 0.5 for a in plain])), 4)
        if plain
        else 0.0,
        "mean": round(float(mean), 2),
        "std": round(float(np.sqrt(max(square - mean**2, 0.0))), 2),
    }


def overlap_of(groups: Sequence[Sequence[dict[str, Any]]]) -> NDArray[np.float64]:
    """Largest IoU of each annotation's `bbox` with another of its image, any class."""
    best = []
    for items in groups:
        boxes = [(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b in (a["bbox"] for a in items)]
        for i, box in enumerate(boxes):
            best.append(max((box_iou(box, o) for j, o in enumerate(boxes) if j != i), default=0.0))
    return np.array(best)


def write_preview(
    root: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    split: str = "train",
    columns: int = 6,
    rows: int = 5,
    zoom: int = 2,
    first: int = 0,
) -> None:
    """Sheet of pictures with their boxes, gain by percentiles of each image.

    Args:
        root: folder of the data set.
        path: PNG to write.
        split: which split.
        columns: pictures across.
        rows: pictures down.
        zoom: enlargement.
        first: number of the first picture.
    """
    root = Path(root)
    coco = json.loads((root / "annotations" / f"{split}.json").read_text())
    boxes: dict[int, list[dict[str, Any]]] = {}
    for item in coco["annotations"]:
        boxes.setdefault(item["image_id"], []).append(item)
    tiles = []
    for image in coco["images"][first : first + columns * rows]:
        name = root / split / image["file_name"]
        found = cv2.imread(str(name), cv2.IMREAD_UNCHANGED)
        if found is None:
            raise ValueError(f"{name} can't be read as an image: make the data set again")
        raw = np.asarray(found, np.float64)
        low, high = np.percentile(raw, [0.5, 99.5])
        grey = np.clip((raw - low) / max(high - low, 150.0), 0, 1) * 255
        tile = cv2.resize(
            grey.astype(np.uint8), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC
        )
        tile = cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR)
        for item in boxes.get(image["id"], []):
            x, y, w, h = (round(v * zoom) for v in item["bbox"])
            colour = (150, 150, 150) if item["iscrowd"] else _COLOURS[(item["category_id"] - 1) % 4]
            cv2.rectangle(tile, (x, y), (x + w - 1, y + h - 1), colour, 1)
        tiles.append(cv2.copyMakeBorder(tile, 1, 1, 1, 1, cv2.BORDER_CONSTANT))
    if not tiles:
        raise ValueError(f"split={split!r} has no images from number {first} on: choose another")
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])
    good, data = cv2.imencode(".png", sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not good:
        raise RuntimeError("OpenCV can't encode the preview")
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data.tobytes())
    os.replace(temporary, path)
