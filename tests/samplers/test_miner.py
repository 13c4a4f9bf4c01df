"""HardNegativeMiner: settings, registry, and the picks of the functional layer."""

import copy
import pickle
from pathlib import Path
from typing import Any

import helpers_mining
import pytest
import reference
import torch
from helpers_processes import results
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from mmthermal.functional.mining import mine_hard_negatives
from mmthermal.samplers import HardNegativeMiner


def build(**settings: Any) -> HardNegativeMiner:
    return TASK_UTILS.build(dict(type="HardNegativeMiner", **settings))


def make_scores(images: int = 3, anchors: int = 60) -> tuple[torch.Tensor, ...]:
    """Scores with four levels, so that ties are the rule; some anchors are ignored."""
    scores = torch.randint(4, (images, anchors)).float()
    kind = torch.rand(images, anchors)
    positives = kind < 0.1
    positives[-1] = False
    return scores, (kind > 0.2), positives


@pytest.mark.parametrize("scope", ["batch", "image"])
@pytest.mark.parametrize("min_neg", [0, 5, 1000])
@pytest.mark.parametrize("ratio", [0, 0.5, 3.0, float("inf")])
def test_mine_equals_a_sorted_list(ratio: float, min_neg: int, scope: str) -> None:
    scores, candidates, positives = make_scores()
    picks = build(ratio=ratio, min_neg=min_neg, scope=scope).mine(scores, candidates, positives)
    expected: list[int] = []
    groups = [range(180)] if scope == "batch" else [range(i * 60, i * 60 + 60) for i in range(3)]
    for group in groups:
        free = [i for i in group if candidates.flatten()[i]]
        number = int(positives.flatten()[group.start : group.stop].sum())
        floor = min_neg * (3 if scope == "batch" else 1)
        wanted = len(free) if ratio == float("inf") else min(ratio * number, len(free))
        k = min(max(int(wanted), floor), len(free))
        expected += sorted(free, key=lambda i: (-scores.flatten()[i].item(), i))[:k]
    assert picks.tolist() == sorted(expected)
    assert candidates.flatten()[picks].all()


def test_mine_is_the_functional_one() -> None:
    scores, candidates, positives = make_scores()
    settings: dict[str, Any] = dict(ratio=1.5, min_neg=2, scope="image")
    assert torch.equal(
        HardNegativeMiner(**settings).mine(scores, candidates, positives),
        mine_hard_negatives(scores, candidates, positives, **settings),
    )


def test_defaults_are_the_papers_ratio_and_a_floor_per_image() -> None:
    scores = torch.rand(2, 500)
    nothing = torch.zeros(2, 500, dtype=torch.bool)
    some = nothing.clone()
    some[0, :20] = True
    miner = HardNegativeMiner()
    assert len(miner.mine(scores, ~nothing, nothing)) == 2 * 16
    assert len(miner.mine(scores, ~some, some)) == 3 * 20
    picks = miner.mine(scores, ~some, some)
    order = reference.hardest(scores.flatten()[~some.flatten()].tolist(), 60)
    assert picks.tolist() == sorted(
        (~some.flatten()).nonzero().squeeze(1)[torch.tensor(order)].tolist()
    )


def test_sample_returns_everything_as_pseudo_sampler() -> None:
    gt_inds = torch.tensor([0, 1, -1, 2, 0])
    assigned = AssignResult(2, gt_inds, torch.rand(5), torch.zeros(5, dtype=torch.long))
    boxes = torch.rand(5, 4)
    result = HardNegativeMiner().sample(
        assigned, InstanceData(priors=boxes), InstanceData(bboxes=torch.rand(2, 4))
    )
    assert result.pos_inds.tolist() == [1, 3]
    assert result.neg_inds.tolist() == [0, 4]


def test_a_head_that_never_asks_it_is_refused() -> None:
    assigner = dict(type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=0.4)
    train_cfg = dict(assigner=assigner, sampler=dict(type="HardNegativeMiner"))
    head = dict(type="RetinaHead", num_classes=2, in_channels=8, feat_channels=8)
    for kind in ("RetinaHead", "ATSSHead"):
        with pytest.raises(ValueError, match=f"{kind}, which never asks it.*HardNegativeSampler"):
            MODELS.build(ConfigDict(head, type=kind, train_cfg=train_cfg))


def test_survives_pickle_and_deepcopy() -> None:
    miner = build(ratio=7.0, min_neg=3, scope="image")
    given = make_scores()
    for twin in (pickle.loads(pickle.dumps(miner)), copy.deepcopy(miner)):
        assert torch.equal(twin.mine(*given), miner.mine(*given))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (dict(neg_pos_upp=3), TypeError, "neg_pos_upp"),
        (dict(ratio=-1.0), ValueError, r"ratio=-1.0: must lie in \[0, inf\]"),
        (dict(ratio=float("nan")), ValueError, "ratio=nan"),
        (dict(ratio="3"), TypeError, "ratio='3': a number is needed, not str"),
        (dict(min_neg=-1), ValueError, "min_neg=-1: must be at least 0"),
        (dict(min_neg=1.5), TypeError, "min_neg=1.5: an integer is needed, not float"),
        (dict(scope="level"), ValueError, "scope='level': choose one of 'batch', 'image'"),
    ],
)
def test_refuses_wrong_settings(
    settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        build(**settings)


def test_settings_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        HardNegativeMiner(3.0)  # type: ignore[misc]


# -------------------------------------------------------------- several processes


@pytest.mark.parametrize("number", [2, 3])
def test_processes_mine_what_one_process_mines(tmp_path: Path, number: int) -> None:
    ranks = results(helpers_mining.work, number, tmp_path)
    scores, candidates, positives = (
        torch.cat(columns) for columns in zip(*helpers_mining.shares(number), strict=True)
    )
    first = torch.zeros_like(candidates)
    first[:2] = scores[:2] == scores[:2].min()
    for k, case in enumerate(helpers_mining.CASES):
        for which, favoured in enumerate((None, first)):
            expected = HardNegativeMiner(**case).mine(scores, candidates, positives, first=favoured)
            found = torch.cat([mined[k][which] + 80 * r for r, mined in enumerate(ranks)])
            assert torch.equal(found, expected), case
