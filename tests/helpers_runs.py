"""Small synthetic comparisons: annotations, pictures and runs of models of known skill."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

CLASSES = ("person", "vehicle")


def write_data(
    folder: Path, *, num_images: int = 40, classes: Sequence[str] = CLASSES, overlap: bool = True
) -> Path:
    """Write annotations and 80 × 64 pictures: two touching objects and a lone one per image.

    Returns:
        The annotation file; pictures lie in `folder / 'images'`. Images carry a field `block`.
    """
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for n in range(num_images):
        name = f"{n:03d}.png"
        picture = rng.integers(20_000, 24_000, (64, 80)).astype(np.uint16)
        boxes = [[5, 5, 16, 20], [12 if overlap else 40, 8, 16, 20], [50, 36, 18, 18]]
        for k, box in enumerate(boxes):
            x, y, w, h = box
            picture[y : y + h, x : x + w] += 6_000
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": n + 1,
                    "category_id": 1 + (n + k) % len(classes),
                    "bbox": box,
                    "area": w * h,
                    "iscrowd": 0,
                }
            )
        cv2.imwrite(str(folder / "images" / name), picture)
        images.append({"id": n + 1, "file_name": name, "width": 80, "height": 64, "block": n // 8})
    path = folder / "annotations.json"
    content = {
        "info": {"description": "made up"},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(classes)],
    }
    path.write_text(json.dumps(content))
    return path


def detect(
    ann_file: Path, *, seed: int, find_overlapped: float, find_lone: float = 0.9
) -> list[dict[str, Any]]:
    """COCO results of a model that finds objects with given chances, and a false one per image."""
    content = json.loads(ann_file.read_text())
    rng = np.random.default_rng(seed)
    found = []
    for ann in content["annotations"]:
        lone = ann["bbox"][0] == 50
        if rng.random() < (find_lone if lone else find_overlapped):
            found.append(
                {
                    "image_id": ann["image_id"],
                    "category_id": ann["category_id"],
                    "bbox": [float(v) for v in ann["bbox"]],
                    "score": float(rng.uniform(0.4, 1.0)),
                }
            )
    for image in content["images"]:
        found.append(
            {
                "image_id": image["id"],
                "category_id": 1,
                "bbox": [30.0, 40.0, 12.0, 12.0],
                "score": float(rng.uniform(0.0, 0.7)),
            }
        )
    return found


def write_run(
    folder: Path,
    detections: list[dict[str, Any]],
    ann_file: Path,
    *,
    seed: int,
    losses: Sequence[str] = ("loss", "loss_cls"),
) -> Path:
    """Write a finished run with a training curve."""
    folder.mkdir(parents=True)
    (folder / "predictions.bbox.json").write_text(json.dumps(detections))
    done = {
        "seed": seed,
        "config": f"{folder.parent.name}.py",
        "config_hash": "0",
        "ann_file": str(ann_file),
        "img_dir": str(ann_file.parent / "images"),
    }
    (folder / "done.json").write_text(json.dumps(done))
    vis = folder / "20260101_000000" / "vis_data"
    vis.mkdir(parents=True)
    lines = [
        json.dumps(
            {
                **{key: 2 / step + 0.01 * seed for key in losses},
                "lr": 0.1,
                "iter": step,
                "step": step,
            }
        )
        for step in range(1, 21)
    ]
    (vis / "scalars.json").write_text("\n".join(lines) + "\n")
    return folder


def write_comparison_runs(
    root: Path,
    skills: dict[str, float],
    *,
    seeds: Sequence[int] = (0, 1, 2),
    classes: Sequence[str] = CLASSES,
    **data: Any,
) -> tuple[Path, list[list[Path]]]:
    """Write data and the runs of several models.

    Args:
        root: empty folder.
        skills: per model the chance to find an overlapped object.
        seeds: of every model.
        classes: names of the classes.
        **data: further settings of `write_data`.

    Returns:
        The annotation file, and per model its run folders.
    """
    ann_file = write_data(root / "data", classes=classes, **data)
    groups = []
    for number, (name, skill) in enumerate(skills.items()):
        groups.append(
            [
                write_run(
                    root / f"model{number}" / f"seed{seed}",
                    detect(ann_file, seed=100 * number + seed, find_overlapped=skill),
                    ann_file,
                    seed=seed,
                    losses=("loss", "loss_cls", *(["f1_pos"] if number else [])),
                )
                for seed in seeds
            ]
        )
        del name
    return ann_file, groups
