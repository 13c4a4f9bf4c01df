"""Ignored regions are no candidates for mining, in any head and any image."""

from typing import Any

import pytest
import torch
from helpers_heads import dense_head, make_case, make_head
from mmengine.structures import InstanceData

from mmthermal.heads.dense_composite import Assigned, DenseCompositeMixin
from mmthermal.heads.ignored_regions import on_ignored

REGION = torch.tensor([[64.0, 32, 94, 62]])


def test_boxes_by_their_share_and_points_by_their_place() -> None:
    regions = [InstanceData(bboxes=REGION), None, InstanceData(bboxes=REGION[:0])]
    boxes = torch.tensor([[64.0, 32, 94, 62], [50, 32, 79, 62], [48, 32, 79, 62], [0, 0, 9, 9]])
    found = on_ignored(boxes, regions)  # type: ignore[arg-type]
    assert found is not None
    assert found.tolist() == [[True, True, False, False], [False] * 4, [False] * 4]
    points = on_ignored(boxes[:, 2:] - 1, regions)  # type: ignore[arg-type]
    assert points is not None
    assert points[0].tolist() == [True, True, True, False]
    assert on_ignored(boxes, None) is on_ignored(boxes, [None, regions[2]]) is None  # type: ignore[list-item]


@pytest.mark.parametrize("empty", ["some", "all"])
@pytest.mark.parametrize("kind", ["retina", "unbatched", "atss", "fcos"])
def test_no_prior_on_a_region_is_mined(
    kind: str, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(empty=empty)
    head = make_head(batched_targets=False) if kind == "unbatched" else dense_head(kind)
    found: list[Assigned] = []
    assigned = DenseCompositeMixin.assigned

    def spy(self: Any, *args: Any, **kwargs: Any) -> Assigned:
        found.append(assigned(self, *args, **kwargs))
        return found[-1]

    monkeypatch.setattr(DenseCompositeMixin, "assigned", spy)
    predictions = head(case.feats)
    losses = head.loss_by_feat(*predictions, case.gts, case.metas, case.ignored)
    assert losses["num_neg"] > 0
    sizes = [score.shape[-2:] for score in predictions[0]]
    priors = torch.cat(head.prior_generator.grid_priors(sizes, device="cpu"))
    centers = priors if priors.size(1) == 2 else (priors[:, :2] + priors[:, 2:]) / 2
    inside = ((centers > REGION[0, :2]) & (centers < REGION[0, 2:])).all(1)
    if priors.size(1) == 4:  # those as small as the region that lie well within it
        small = (priors[:, 2:] - priors[:, :2]).amax(1) <= 16
        inside = inside & small & ((centers - torch.tensor([79.0, 47])).abs().amax(1) < 7)
    assert inside.sum() > 3
    assert not found[0].candidates[:, inside].any()
    assert found[0].candidates[:, ~inside].float().mean() > 0.5


def test_half_of_a_box_is_not_more_than_half() -> None:
    """As in mmdet's assigner, which compares by ``>``."""
    half = torch.tensor([[49.0, 32, 79, 62]])
    found = on_ignored(half, [InstanceData(bboxes=REGION)])
    assert found is not None and not found.any()
