"""The anchor heads' shared loss: any mmdet anchor head takes it by a class of one line."""

import pytest
import torch
from helpers_heads import Case, grads, head_cfg, make_case, spread_weights
from mmdet.models.dense_heads import FreeAnchorRetinaHead, RetinaHead
from mmdet.models.dense_heads.retina_sepbn_head import RetinaSepBNHead
from mmdet.registry import MODELS

from mmthermal.heads import CompositeRetinaHead, CompositeRPNHead
from mmthermal.heads.anchor_composite import AnchorCompositeMixin
from mmthermal.losses import CompositeLoss


class CompositeSepBNHead(AnchorCompositeMixin, RetinaSepBNHead):
    """A head that the package doesn't ship."""


def make_sepbn(cls: type) -> torch.nn.Module:
    head = cls(num_ins=3, norm_cfg=None, **head_cfg())
    if isinstance(head, AnchorCompositeMixin):
        head.loss_composite = CompositeLoss(w_cls=0.0, box_form=None, count_empty=True, w_box=1.0)
    spread_weights(head)
    return head


@pytest.mark.parametrize("empty", ["some", "all"])
def test_a_head_of_ones_own_is_mmdets_without_the_composite(empty: str) -> None:
    case = make_case(empty=empty)
    found = []
    for cls in (CompositeSepBNHead, RetinaSepBNHead):
        head = make_sepbn(cls)
        losses = case.loss(head)
        (losses["loss_cls"] + losses["loss_bbox"]).backward()
        found.append((losses, grads(head)))
    (our_losses, our_grads), (their_losses, their_grads) = found
    assert their_losses["loss_cls"] > 0
    for name, value in their_losses.items():
        torch.testing.assert_close(our_losses[name], value, rtol=2e-5, atol=1e-6)
    for name, grad in their_grads.items():
        torch.testing.assert_close(our_grads[name], grad, rtol=1e-4, atol=2e-5)


def test_passes_all_other_arguments_on() -> None:
    with pytest.raises(TypeError, match="stackd_convs"):
        CompositeSepBNHead(num_ins=3, stackd_convs=1, **head_cfg())


def test_one_body_serves_retina_and_rpn() -> None:
    for cls in (CompositeRetinaHead, CompositeRPNHead):
        assert issubclass(cls, AnchorCompositeMixin)
        assert cls.__mro__.index(AnchorCompositeMixin) < cls.__mro__.index(cls.__bases__[1])
    assert CompositeRetinaHead.loss_by_feat is AnchorCompositeMixin.loss_by_feat


def test_is_no_change_to_mmdets_classes(case: Case) -> None:
    assert not issubclass(FreeAnchorRetinaHead, AnchorCompositeMixin)
    head = MODELS.build(dict(type="RetinaHead", **head_cfg()))
    assert type(head) is RetinaHead
    assert set(case.loss(head)) == {"loss_cls", "loss_bbox"}
