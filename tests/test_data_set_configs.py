"""Configs of the public sets: classes as the conversion writes them, anchors that fit.

The sets are not at hand, but for windows of HIT-UAV. For the others the sizes are assumed from
what their publishers say of camera and scene, as docs/data_sets.md lists them, and the anchors are
measured by the check's own measure on boxes drawn evenly over the logarithm of these sizes.
"""

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers_data import CONFIGS
from mmengine.config import Config

from mmthermal.checking.anchors import LOST, check_anchors
from mmthermal.checking.table import make_table

PERSON, CAR, BIKE, SQUARE = (1.5, 3.5), (0.5, 1.2), (0.8, 1.8), (0.7, 2.0)
"""Height over width."""
# image size; for each kind of object: lowest and largest height in pixels, ratios
SETS: dict[str, tuple[tuple[int, int], list[tuple[float, float, tuple[float, float]]]]] = {
    "flir_v1": ((640, 512), [(14, 350, PERSON), (10, 300, CAR), (12, 200, BIKE)]),
    "flir_v2": (
        (640, 512),
        [(14, 350, PERSON), (10, 300, CAR), (12, 200, BIKE), (12, 100, SQUARE)],
    ),
    "flir_aligned": ((640, 512), [(14, 350, PERSON), (10, 300, CAR), (12, 200, BIKE)]),
    "llvip": ((1280, 1024), [(60, 600, PERSON)]),
    "kaist": ((640, 512), [(20, 350, PERSON)]),
    "m3fd": ((1024, 768), [(16, 400, PERSON), (12, 400, CAR), (14, 250, BIKE), (12, 80, SQUARE)]),
    "iphd": ((160, 120), [(14, 120, PERSON), (14, 110, SQUARE)]),
}
HITUAV = CONFIGS.parents[1] / "shared/data/hituav160/annotations/train.json"


@functools.cache
def configs(name: str) -> list[Config]:
    """Both configs of a set; not to be changed."""
    return [
        Config.fromfile(CONFIGS / folder / f"{kind}_composite_{name}.py")
        for folder, kind in (("retinanet", "retina"), ("faster_rcnn", "faster_rcnn"))
    ]


def content(name: str, number: int = 600) -> dict:
    """Annotations of the assumed sizes, at random places."""
    rng = np.random.default_rng(0)
    (width, height), kinds = SETS[name]
    annotations = []
    for category, (low, high, ratios) in enumerate(kinds, 1):
        while len(annotations) < category * number:
            h = np.exp(rng.uniform(np.log(low), np.log(high)))
            w = h / np.exp(rng.uniform(*np.log(ratios)))
            if w > width or h > height or min(w, h) < 4:
                continue
            x, y = rng.uniform(0, [width - w, height - h])
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=1,
                    category_id=category,
                    bbox=[x, y, w, h],
                    area=w * h,
                    iscrowd=0,
                )
            )
    return dict(
        images=[dict(id=1, file_name="a.png", width=width, height=height)],
        annotations=annotations,
        categories=[dict(id=i, name=f"c{i}") for i in range(1, len(kinds) + 1)],
    )


@pytest.mark.parametrize("name", SETS)
def test_anchors_reach_the_assumed_sizes(name: str) -> None:
    table = make_table(content(name))
    for cfg in configs(name):
        findings, figures = check_anchors(table, cfg.model, cfg.train_dataloader.dataset.pipeline)
        assert findings == [], figures
        assert figures["unreached"] < LOST


@pytest.mark.skipif(not HITUAV.is_file(), reason="../shared/data/hituav160 is absent")
def test_anchors_reach_the_objects_of_hituav() -> None:
    """Its windows have the native pixels of the whole frames."""
    table = make_table(json.loads(HITUAV.read_text(encoding="utf-8")))
    for cfg in configs("hituav"):
        findings, figures = check_anchors(table, cfg.model, cfg.train_dataloader.dataset.pipeline)
        assert findings == []
        assert figures["unreached"] < 0.02


@pytest.mark.parametrize("name", [*SETS, "hituav"])
def test_data_are_what_the_command_in_the_head_writes(name: str) -> None:
    text = (CONFIGS / "_base_/datasets" / f"{name}.py").read_text(encoding="utf-8")
    command = text.partition("tools/convert.py ")[2].partition("\n_base_")[0]
    words = re.sub(r"\\\n#", " ", command).split("\n")[0].split()
    for cfg in configs(name):
        dataset = cfg.train_dataloader.dataset
        assert words[0] == name.replace("_", "-") and "--copy" in words
        assert Path(words[2]) == Path(dataset.data_root)
        assert dataset.data_prefix.img == "images/"  # of --copy
        if "--classes" in words:
            rest = words[words.index("--classes") + 1 :]
            chosen = [word for word in rest if not word.startswith("--")][: cfg.num_classes]
            assert chosen == list(dataset.metainfo.classes)
        for loader in (cfg.val_dataloader, cfg.test_dataloader):
            assert loader.dataset.metainfo == dataset.metainfo
            assert loader.dataset.ann_file in ("val.json", "test.json")
        for loader, evaluator in (
            (cfg.val_dataloader, cfg.val_evaluator),
            (cfg.test_dataloader, cfg.test_evaluator),
        ):
            assert evaluator.ann_file == dataset.data_root + loader.dataset.ann_file
