"""Anchors: the best IoU against mmdet's own anchors and IoU, and the advice."""

import numpy as np
import pytest
import torch
from helpers_checking import clean
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_overlaps

from mmthermal.checking.anchors import (
    _more_ratios,
    best_iou,
    check_anchors,
    find_generator,
    network_scale,
)
from mmthermal.checking.table import make_table

RETINA = dict(
    type="AnchorGenerator",
    octave_base_scale=4,
    scales_per_octave=3,
    ratios=[0.5, 1.0, 2.0],
    strides=[8, 16, 32],
)
RPN = dict(type="AnchorGenerator", scales=[8], ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16])
MODEL = dict(type="RetinaNet", bbox_head=dict(type="RetinaHead", anchor_generator=RETINA))


@pytest.mark.parametrize("generator", [RETINA, RPN, {**RETINA, "center_offset": 0.5}])
def test_the_best_iou_is_that_of_all_anchors_of_the_image(generator) -> None:
    rng = np.random.default_rng(0)
    width, height = 160, 128
    corner = rng.uniform(0, [width, height], (200, 2))
    boxes = np.concatenate([corner, rng.uniform(4, 90, (200, 2))], axis=1)
    built = TASK_UTILS.build(dict(generator))
    sizes = [(-(-height // s[0]), -(-width // s[0])) for s in built.strides]
    anchors = torch.cat(built.grid_priors(sizes, device="cpu")).double()
    corners = torch.from_numpy(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1))
    expected = bbox_overlaps(corners, anchors).max(dim=1).values
    found = best_iou(boxes, np.tile([float(width), height], (200, 1)), generator)
    assert found == pytest.approx(expected.numpy(), abs=1e-5)


def test_generators_are_found() -> None:
    assert find_generator(MODEL) == ("model.bbox_head.anchor_generator", RETINA)
    assert find_generator(dict(rpn_head=dict(anchor_generator=RPN))) == (
        "model.rpn_head.anchor_generator",
        RPN,
    )
    assert find_generator(dict(bbox_head=dict(type="FCOSHead"))) is None
    assert find_generator({}) is None


@pytest.mark.parametrize(
    ("resize", "expected"),
    [
        (dict(scale_factor=2.0), (2, 2)),
        (dict(scale_factor=(2.0, 3.0)), (2, 3)),
        (dict(scale=(640, 512), keep_ratio=True), (4, 4)),
        (dict(scale=(512, 640), keep_ratio=True), (4, 4)),
        (dict(scale=(320, 512)), (2, 4)),
        (dict(scale=[(320, 256), (640, 512)], keep_ratio=True), (2, 2)),
        (dict(scale=640), (4, 5)),
        (dict(scale=640, keep_ratio=True), (4, 4)),
        (dict(type="RandomChoiceResize", scales=[640, 320]), (4, 5)),
        (dict(type="RandomChoiceResize", scales=640, keep_ratio=True), (4, 4)),
        (dict(type="RandomChoiceResize", scales=[(320, 256)]), (2, 2)),
        ({}, (1, 1)),
    ],
)
def test_the_scale_of_a_pipeline(resize, expected) -> None:
    pipeline = [dict(type="LoadThermalImage"), {"type": "Resize", **resize}]
    assert network_scale(pipeline, np.array([[160.0, 128.0]])).tolist() == [list(expected)]
    assert network_scale([], np.array([[160.0, 128.0]])).tolist() == [[1, 1]]


def sized(side: float):
    content = clean()
    for annotation in content["annotations"]:
        annotation["bbox"] = [annotation["bbox"][0], 5, side, side]
    return make_table(content)


def test_objects_that_fit_are_reached() -> None:
    findings, figures = check_anchors(sized(32), MODEL, [])
    assert findings == []
    assert figures["unreached"] == 0
    assert figures["best"]["setting"] == {}


def test_small_objects_get_the_setting_that_reaches_them() -> None:
    (finding,), figures = check_anchors(sized(16), MODEL, [])
    assert (finding.code, finding.severity) == ("anchors-miss-objects", "warning")
    setting = figures["best"]["setting"]
    assert setting and all(key.startswith("model.bbox_head.anchor_generator.") for key in setting)
    better = {**RETINA, **{key.rsplit(".", 1)[1]: value for key, value in setting.items()}}
    model = dict(bbox_head=dict(anchor_generator=better))
    assert (
        check_anchors(sized(16), model, [])[1]["unreached"] == figures["best"]["unreached"] < 0.05
    )


@pytest.mark.parametrize("tall", [True, False])
def test_tall_and_wide_objects_get_the_ratio_that_reaches_them(tall) -> None:
    content = clean()
    for annotation in content["annotations"]:
        width, height = (6, 54) if tall else (54, 6)
        annotation["bbox"] = [annotation["bbox"][0], 5, width, height]
    (finding,), figures = check_anchors(make_table(content), MODEL, [])
    expected = [0.5, 1.0, 2.0, 9.0] if tall else [0.11, 0.5, 1.0, 2.0]
    assert figures["ratios"] == expected
    setting = figures["best"]["setting"]
    assert setting["model.bbox_head.anchor_generator.ratios"] == expected
    assert f"ratios={expected}" in finding.remedy
    assert figures["best"]["unreached"] < 0.5 < figures["unreached"]


def test_a_ratio_for_most_and_one_for_the_longest() -> None:
    generator = dict(ratios=[0.5, 1.0, 2.0])
    missed = np.array([[0, 0, 2.0, 2 * ratio] for ratio in (1, 4, 4, 4, 8, 8)])
    assert _more_ratios(generator, missed) == [0.5, 1.0, 2.0, 4.0, 8.0]
    wide = missed[:, [0, 1, 3, 2]]
    assert _more_ratios(generator, wide) == [0.12, 0.25, 0.5, 1.0, 2.0]
    assert _more_ratios(generator, missed[:1]) == []
    assert _more_ratios(dict(ratios=[[2.0], [2.0]]), missed) == []


def test_a_ratio_that_helps_too_little_is_named() -> None:
    """Boxes of one pixel's width between the places of all anchors."""
    content = clean()
    for annotation in content["annotations"]:
        annotation["bbox"] = [3, 5, 1, 24]
    (finding,), _ = check_anchors(make_table(content), MODEL, [])
    assert finding.remedy.endswith("add ratios, such as ratios=[0.5, 1.0, 2.0, 24.0]")


def test_enlarging_the_pictures_reaches_them_too() -> None:
    resize = [dict(type="Resize", scale_factor=2.0)]
    assert check_anchors(sized(16), MODEL, resize)[0] == []


def test_nothing_to_say_without_anchors_or_objects() -> None:
    assert check_anchors(sized(16), dict(bbox_head=dict(type="FCOSHead")), []) == ([], {})
    empty = make_table({**clean(), "annotations": []})
    assert check_anchors(empty, MODEL, []) == ([], {})


def test_no_setting_is_changed_for_less_than_a_hundredth() -> None:
    """Of 400 objects 17 are beyond every anchor, and three would be reached by finer strides."""
    content = clean()
    model = content["annotations"][0]
    content["annotations"] = [
        {**model, "id": i + 1, "bbox": [3, 5, side, side], "area": side * side}
        for i, side in enumerate([32] * 380 + [2] * 17 + [18] * 3)
    ]
    figures = check_anchors(make_table(content), MODEL, [])[1]
    assert figures["unreached"] == pytest.approx(20 / 400)
    assert figures["best"] == {"setting": {}, "unreached": figures["unreached"]}
