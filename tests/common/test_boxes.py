"""IoU against pycocotools' own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmthermal.common.boxes import box_iou

boxes_strategy = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 15), st.integers(0, 15)),
    min_size=1,
    max_size=12,
)


@given(boxes=boxes_strategy, seed=st.integers(0, 1000))
def test_box_iou_is_bitwise_that_of_pycocotools(boxes: list[tuple[int, ...]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    gts = np.array(boxes, dtype=float) + rng.uniform(0, 1, (len(boxes), 4))
    dets = gts[rng.integers(0, len(gts), 9)] + rng.normal(0, 1, (9, 4)).round(2)
    dets[:, 2:] = np.abs(dets[:, 2:])
    crowd = rng.random(len(gts)) < 0.3
    expected = coco_mask.iou(dets, gts, crowd.astype(np.uint8))
    np.testing.assert_array_equal(box_iou(dets[:, None], gts[None], crowd[None]), expected)
