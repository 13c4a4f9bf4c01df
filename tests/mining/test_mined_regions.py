"""Regions follow the transforms; anchors, points and RoIs on them are found."""

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.registry import init_default_scope

from mmthermal.mining.mined_regions import MinedRegions
from mmthermal.mining.region_file import Region

SHAPE = (48, 64)  # height, width


def region(image, box, weight=1.0):
    return Region(image, box, 1, 0.5, 1.0, 0, 0, weight)


def lookup(*regions, **settings):
    found = MinedRegions(**settings)
    found.replace(regions)
    return found


@pytest.mark.parametrize(
    "steps",
    [
        [dict(type="Resize", scale=(128, 144), keep_ratio=False)],
        [dict(type="RandomFlip", prob=1.0)],
        [dict(type="RandomFlip", prob=1.0, direction="diagonal")],
        [
            dict(type="Resize", scale_factor=2.0),
            dict(type="RandomFlip", prob=1.0, direction="vertical"),
            dict(type="RandomCrop", crop_size=(90, 120)),
        ],
    ],
    ids=["resize", "flip", "diagonal", "resize-flip-crop"],
)
def test_regions_move_as_mmdet_moves_the_ground_truth(steps):
    init_default_scope("mmdet")
    np.random.seed(0)
    box = (20.0, 12.0, 10.0, 6.0)
    corners = np.array([[20.0, 12.0, 30.0, 18.0]], dtype=np.float32)
    sample = dict(
        img=np.zeros((*SHAPE, 1), np.float32),
        img_shape=SHAPE,
        gt_bboxes=HorizontalBoxes(corners),
        gt_bboxes_labels=np.zeros(1, np.int64),
        gt_ignore_flags=np.zeros(1, bool),
    )
    sample = Compose([TRANSFORMS.build(step) for step in steps])(sample)
    meta = dict(
        img_id=3, img_shape=sample["img_shape"], homography_matrix=sample["homography_matrix"]
    )
    boxes, weights = lookup(region(3, box, 0.5)).in_image(meta)
    torch.testing.assert_close(boxes, sample["gt_bboxes"].tensor)
    assert weights.tolist() == [0.5]


def test_regions_keep_their_digits_under_autocast():
    """bfloat16 would move this corner by .7 and the anchor off the region."""
    found = lookup(region(3, (301.3, 17.7, 9.0, 12.0)))
    meta = dict(img_id=3, img_shape=(512, 640), homography_matrix=np.eye(3))
    anchor = torch.tensor([[302.6, 17.3, 311.8, 30.1]])
    found.begin_batch([meta])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        boxes, _ = found.in_image(meta)
        strength = found.strengths(anchor, 1)
    torch.testing.assert_close(boxes, torch.tensor([[301.3, 17.7, 310.3, 29.7]]))
    assert strength.tolist() == found.strengths(anchor, 1).tolist() == [[1.0]]


def test_without_a_transform_regions_stay():
    boxes, _ = lookup(region(3, (1.0, 2.0, 5.0, 6.0))).in_image(dict(img_id=3, img_shape=SHAPE))
    assert boxes.tolist() == [[1, 2, 6, 8]]


@pytest.mark.parametrize(("shift", "left"), [(-4, 1), (-6, 0)])
def test_cropped_by_more_than_half_is_gone(shift, left):
    move = np.array([[1, 0, shift], [0, 1, 0], [0, 0, 1.0]])
    meta = dict(img_id=3, img_shape=SHAPE, homography_matrix=move)
    boxes, weights = lookup(region(3, (0.0, 0.0, 10.0, 10.0))).in_image(meta)
    assert len(boxes) == len(weights) == left


def test_anchors_lie_on_a_region_by_iou_and_take_the_largest_weight():
    found = lookup(
        region(1, (0.0, 0.0, 10.0, 10.0), 0.5),
        region(1, (0.0, 0.0, 10.0, 8.0), 0.8),
        region(2, (30.0, 0.0, 10.0, 10.0)),
        iou_thr=0.5,
    )
    metas = [dict(img_id=i, img_shape=SHAPE) for i in (1, 9, 2)]
    found.begin_batch(metas)
    anchors = torch.tensor(
        [
            [0, 0, 10, 10.0],  # IoU 1 with the first, .8 with the second
            [0, 0, 10, 5],  # 1/2, .625
            [0, 0, 10, 4.9],  # .49, .6125
            [0, 0, 10, 3.9],  # .39, .4875
            [30, 0, 40, 10],
        ]
    )
    expected = [[0.8, 0.8, 0.8, 0, 0], [0] * 5, [0, 0, 0, 0, 1]]
    torch.testing.assert_close(found.strengths(anchors, 3), torch.tensor(expected))


def test_points_lie_on_a_region_if_inside():
    found = lookup(region(1, (4.0, 4.0, 8.0, 8.0), 0.5))
    found.begin_batch([dict(img_id=1, img_shape=SHAPE)])
    points = torch.tensor([[4.0, 4.0], [11.9, 5.0], [12.0, 5.0], [5.0, 3.0]])
    assert found.strengths(points, 1).tolist() == [[0.5, 0.5, 0.0, 0.0]]


def test_rois_are_looked_up_in_their_own_image():
    found = lookup(region(1, (0.0, 0.0, 10.0, 10.0), 0.5), region(2, (20.0, 0.0, 10.0, 10.0)))
    found.begin_batch([dict(img_id=i, img_shape=SHAPE) for i in (1, 2)])
    rois = torch.tensor([[1, 20, 0, 30, 10], [0, 20, 0, 30, 10], [0, 0, 0, 10, 10.0]])
    assert found.roi_strengths(rois).tolist() == [1.0, 0.0, 0.5]


def test_no_region_in_the_batch_costs_nothing():
    found = lookup(region(1, (0.0, 0.0, 10.0, 10.0)))
    found.begin_batch([dict(img_id=9, img_shape=SHAPE)])
    assert found.strengths(torch.zeros(5, 4), 1) is None
    assert found.roi_strengths(torch.zeros(5, 5)) is None
    assert lookup().strengths(torch.zeros(5, 4), 7) is None  # nobody need announce a batch


def test_unannounced_batch_is_refused():
    found = lookup(region(1, (0.0, 0.0, 10.0, 10.0)))
    with pytest.raises(RuntimeError, match="HardNegativeMiningHook"):
        found.strengths(torch.zeros(5, 4), 2)
    with pytest.raises(RuntimeError, match="HardNegativeMiningHook"):
        found.roi_strengths(torch.ones(5, 5))


def test_replace_forgets_the_old():
    found = lookup(region(1, (0.0, 0.0, 10.0, 10.0)))
    assert len(found) == 1
    found.replace([])
    assert len(found) == 0
    assert found.strengths(torch.zeros(5, 4), 1) is None


def test_loss_weights():
    strength = torch.tensor([0.0, 0.5, 1.0])
    assert MinedRegions(weight=3.0).loss_weights(strength).tolist() == [1, 2, 3]
    assert MinedRegions(weight=1.0).loss_weights(strength).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        (dict(weight=0.5), ValueError),
        (dict(iou_thr=0.0), ValueError),
        (dict(mine_first=1), TypeError),
    ],
)
def test_bad_settings(setting, error):
    with pytest.raises(error, match=next(iter(setting))):
        MinedRegions(**setting)
