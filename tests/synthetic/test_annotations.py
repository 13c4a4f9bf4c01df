"""COCO annotations of rendered objects, and the figures of a split."""

from typing import Any

import numpy as np
import pytest
from helpers_synthetic import settings

from mmthermal.synthetic.annotations import annotate, describe, overlap_of
from mmthermal.synthetic.rendering import Instance


def test_annotate_marks_hardly_visible_and_tiny_objects_and_drops_hidden_ones() -> None:
    def item(index: int, box: Any, visible: float, fronts: tuple[int, ...] = ()) -> Instance:
        return Instance(index, "car", box, (0.0, 0.0, 50.0, 40.0), visible, 0.0, 9.0, fronts)

    found = annotate(
        [
            item(3, (0.0, 0.0, 20.0, 10.0), 0.8, (4, 6)),
            item(4, (0.0, 0.0, 20.0, 10.0), 0.2),
            item(5, (0.0, 0.0, 20.0, 2.0), 0.9),
            item(6, None, 0.0),
            item(7, (0.0, 0.0, 0.5, 9.0), 0.9),
        ],
        settings(),
        image_id=9,
        first_id=100,
    )
    assert [a["iscrowd"] for a in found] == [0, 1, 1]
    assert [a["id"] for a in found] == [100, 101, 102]
    assert found[0]["occluded_by"] == [101]  # the hidden one has no annotation
    assert found[0]["bbox"] == [0, 0, 20, 10] and found[0]["bbox_full"] == [0, 0, 50, 40]
    assert found[0]["category_id"] == 3 and found[0]["image_id"] == 9


def test_overlap_is_the_largest_iou_with_another_object_of_the_image() -> None:
    one = [{"bbox": [0, 0, 2, 2]}, {"bbox": [1, 0, 2, 2]}, {"bbox": [0, 0, 2, 1]}]
    found = overlap_of([one, [{"bbox": [0, 0, 2, 2]}]])
    # 2 of 4 + 2 - 2; 2 of 4 + 4 - 2 for the second, whose other neighbour shares 1 of 5; no other
    np.testing.assert_allclose(found, [2 / 4, 2 / 6, 2 / 4, 0.0])
    assert overlap_of([]).shape == (0,)


def test_figures_of_a_split() -> None:
    def item(image: int, box: list[float], crowd: int = 0, visible: float = 1.0) -> dict[str, Any]:
        return dict(image_id=image, category_id=2, bbox=box, iscrowd=crowd, visible=visible)

    coco = dict(
        images=[{}, {}, {}],
        categories=[dict(id=1, name="person"), dict(id=2, name="dog")],
        annotations=[
            item(1, [0, 0, 2, 2]), item(1, [0, 0, 2, 1], visible=0.4), item(1, [0, 0, 2, 2], 1),
            item(2, [0, 0, 2, 2]),
        ],
    )  # fmt: skip
    counts = np.array([10.0, 20.0, 40.0, 30.0])
    total = np.array([len(counts), counts.sum(), (counts**2).sum()])
    found = describe(coco, total)
    assert found["images"] == 3 and found["images_without_objects"] == 1
    assert found["objects"] == 3 and found["crowd"] == 1
    assert found["objects_per_class"] == {"person": 0, "dog": 3}
    assert found["overlap_share"] == {"0.1": 0.6667, "0.3": 0.6667, "0.5": 0.0}
    assert found["hidden_by_half_share"] == 0.3333
    assert found["mean"] == counts.mean() and found["std"] == pytest.approx(counts.std(), abs=0.01)
