"""Tiny thermal data sets, drawn by the tests themselves, and small models to run on them.

Warm rectangles on a cool, noisy background: class k has its own shape and temperature. The files
are COCO's, as a user would bring them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs" / "thermal"
CLASSES = ("person", "vehicle", "bicycle")
SHAPES = ((8, 18), (20, 11), (13, 13))  # width, height in pixels of a class


def write_coco(
    root: Path,
    *,
    splits: dict[str, int] | None = None,
    classes: Sequence[str] = CLASSES,
    size: tuple[int, int] = (96, 64),
    bits: int = 16,
    seed: int = 0,
    suffix: str = ".png",
) -> Path:
    """Write a COCO-style data set of grey rectangles.

    Args:
        root: folder to make.
        splits: number of images of each split; 8 for train and 4 for val and test if None. The
            last image of a split of more than two has no object.
        classes: class names, at most three.
        size: width and height in pixels.
        bits: 8 or 16 bits per pixel.
        seed: of the random numbers.
        suffix: of the image files.

    Returns:
        ``root``.
    """
    rng = np.random.default_rng(seed)
    (root / "annotations").mkdir(parents=True)
    scale = 1 if bits == 8 else 12
    level = 60 if bits == 8 else 21000
    for split, number in (splits or {"train": 8, "val": 4, "test": 4}).items():
        (root / split).mkdir()
        images, annotations = [], []
        for i in range(number):
            image = rng.normal(level, 3 * scale, (size[1], size[0]))
            for _ in range(0 if 2 < number == i + 1 else 2 + i % 2):
                k = int(rng.integers(len(classes)))
                w, h = SHAPES[k]
                x, y = int(rng.integers(0, size[0] - w)), int(rng.integers(0, size[1] - h))
                warm = level + scale * (60 + 40 * k)
                image[y : y + h, x : x + w] = rng.normal(warm, scale, (h, w))
                annotations.append(
                    dict(
                        id=len(annotations) + 1,
                        image_id=i + 1,
                        category_id=k + 1,
                        bbox=[x, y, w, h],
                        area=w * h,
                        iscrowd=0,
                    )
                )
            name = f"{i:03d}{suffix}"
            kind = np.uint8 if bits == 8 else np.uint16
            cv2.imwrite(str(root / split / name), image.round().astype(kind))
            images.append(dict(id=i + 1, file_name=name, width=size[0], height=size[1]))
        categories = [dict(id=k + 1, name=name) for k, name in enumerate(classes)]
        content = dict(images=images, annotations=annotations, categories=categories)
        (root / "annotations" / f"{split}.json").write_text(json.dumps(content))
    return root


def data_options(root: Path, *, batch_size: int = 4, test_split: str = "val") -> dict[str, Any]:
    """``--cfg-options`` that put a config on a data set of :func:`write_coco`.

    Args:
        root: its folder.
        batch_size: images per batch.
        test_split: the split that test_dataloader reads.

    Returns:
        dotted keys and values.
    """
    options: dict[str, Any] = {}
    for loader, split in (("train", "train"), ("val", "val"), ("test", test_split)):
        key = f"{loader}_dataloader"
        options[f"{key}.batch_size"] = batch_size
        options[f"{key}.num_workers"] = 0
        options[f"{key}.persistent_workers"] = False
        options[f"{key}.dataset.data_root"] = f"{root}/"
        options[f"{key}.dataset.ann_file"] = f"annotations/{split}.json"
        options[f"{key}.dataset.data_prefix.img"] = f"{split}/"
        if loader != "train":
            options[f"{loader}_evaluator.ann_file"] = f"{root}/annotations/{split}.json"
    return options


def small_options(num_classes: int = 3) -> dict[str, Any]:
    """Dotted keys that make the model of configs/_base_/models/retina_r18_thermal.py tiny.

    Args:
        num_classes: number of classes of the data.

    Returns:
        dotted keys and values.
    """
    return {
        "model.backbone.base_channels": 8,
        "model.backbone.stem_channels": 8,
        "model.neck.in_channels": [16, 32, 64],
        "model.neck.out_channels": 16,
        "model.bbox_head.in_channels": 16,
        "model.bbox_head.feat_channels": 16,
        "model.bbox_head.stacked_convs": 1,
        "model.bbox_head.norm_cfg.num_groups": 4,
        "model.bbox_head.num_classes": num_classes,
    }


def tiny_config(name: str, root: Path, *, num_classes: int = 3, **options: Any) -> Config:
    """A config of configs/thermal, tiny and on a data set of :func:`write_coco`.

    Args:
        name: file name.
        root: folder of the data.
        num_classes: number of classes of the data.
        **options: further keys, ``__`` for each dot.

    Returns:
        the config, with float32 arithmetic and nothing written to a work directory yet.
    """
    cfg = Config.fromfile(CONFIGS / name)
    cfg.merge_from_dict({**data_options(root), **small_options(num_classes)})
    cfg.merge_from_dict({"optim_wrapper.enabled": False})
    cfg.merge_from_dict({key.replace("__", "."): value for key, value in options.items()})
    return cfg


def as_arguments(options: dict[str, Any]) -> list[str]:
    """Dotted keys and values as words of a command line.

    Args:
        options: dotted keys and values.

    Returns:
        ``--cfg-options`` and its words; empty without options.
    """
    words = [f"{key}={str(value).replace(' ', '')}" for key, value in options.items()]
    return ["--cfg-options", *words] if words else []


def run_tool(
    tool: str | Path, *args: str | Path, cwd: Path, ok: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a tool as a person does, without the project on PYTHONPATH.

    Args:
        tool: name of a file in tools/, or a path.
        *args: its arguments.
        cwd: folder to run in.
        ok: whether it should succeed.

    Returns:
        the finished process, with stdout and stderr as text.
    """
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    path = ROOT / "tools" / tool
    done = subprocess.run(
        [sys.executable, str(path), *map(str, args)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    text = done.stdout[-3000:] + done.stderr[-6000:]
    assert (done.returncode == 0) == ok, f"{tool} ended with {done.returncode}:\n{text}"
    return done


def write_video(path: Path, num: int) -> None:
    """A grey video of 96 x 64 with a warm rectangle that moves."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 64))
    assert writer.isOpened()
    for n in range(num):
        frame = np.full((64, 96, 3), 40 + 10 * n, np.uint8)
        frame[20:40, 10 + n : 30 + n] = 220
        writer.write(frame)
    writer.release()
