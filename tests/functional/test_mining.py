"""Mining against sorting, with few score levels, so that ties are the rule."""

import math

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mmthermal.functional import hardest, mine_hard_negatives, num_hard_negatives

SCOPES = ["batch", "image"]
levels = st.sampled_from([-1.5, 0.0, 0.25, 7.0])


@given(st.lists(levels, max_size=40), st.integers(0, 45))
def test_hardest_equals_sorting(scores: list[float], k: int) -> None:
    n = len(scores)
    expected = sorted(sorted(range(n), key=lambda i: (-scores[i], i))[:k])
    assert hardest(torch.tensor(scores), k).tolist() == expected


@pytest.mark.parametrize(
    ("scores", "k", "expected"),
    [
        ([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 4, [0, 1, 2, 3]),  # torch.topk follows no rule here
        ([1.0, 3.0, 2.0, 3.0, 1.0], 3, [1, 2, 3]),
        ([1.0, 3.0, 2.0, 3.0, 1.0], 4, [0, 1, 2, 3]),
        ([5.0, -math.inf, 5.0], 3, [0, 1, 2]),
        ([5.0, 6.0], 0, []),
        ([], 3, []),
        ([5.0], 9, [0]),
    ],
)
def test_hardest_by_hand(scores: list[float], k: int, expected: list[int]) -> None:
    found = hardest(torch.tensor(scores), k)
    assert found.tolist() == expected
    assert found.dtype == torch.long


def test_hardest_of_many_is_exact(device: torch.device) -> None:
    scores = torch.randint(0, 50, (20_000,)).float()
    for k in (1, 399, 400, 401, 7_777, 19_999):
        found = hardest(scores.to(device), k).cpu()
        order = scores.argsort(descending=True, stable=True)[:k]
        assert torch.equal(found, order.sort().values)


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_hardest_in_other_dtypes(low: torch.dtype) -> None:
    scores = torch.randn(300).to(low)
    assert hardest(scores, 50).tolist() == reference.hardest(scores.tolist(), 50)


@pytest.mark.parametrize(
    ("num_pos", "num_candidates", "ratio", "min_neg", "expected"),
    [
        (4, 100, 3.0, 0, 12),
        (5, 100, 0.5, 0, 2),  # floor(2.5)
        (3, 100, 0.3, 0, 0),  # floor(0.9)
        (4, 100, 3.0, 12, 12),
        (4, 100, 3.0, 13, 13),
        (4, 7, 3.0, 13, 7),
        (4, 7, 0, 0, 0),
        (0, 100, 3.0, 16, 16),
        (0, 9, 3.0, 16, 9),
        (2, 100, math.inf, 0, 100),
        (0, 100, math.inf, 16, 100),
        (0, 0, 3.0, 16, 0),
    ],
)
def test_number_by_hand(
    num_pos: int, num_candidates: int, ratio: float, min_neg: int, expected: int
) -> None:
    number = num_hard_negatives(num_pos, num_candidates, ratio=ratio, min_neg=min_neg)
    assert number == expected
    assert isinstance(number, int)


def tensors(
    rows: list[list[tuple[float, int]]],
) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, candidates and positives from (score, kind), kind 0 ignored, 1 candidate, 2 pos."""
    scores = torch.tensor([[s for s, _ in row] for row in rows])
    kinds = torch.tensor([[k for _, k in row] for row in rows])
    return scores, kinds == 1, kinds == 2


grids = st.integers(1, 12).flatmap(
    lambda n: st.lists(
        st.lists(st.tuples(levels, st.integers(0, 2)), min_size=n, max_size=n),
        min_size=1,
        max_size=3,
    )
)


@given(
    grids,
    st.sampled_from([0.0, 0.5, 1.0, 3.0, math.inf]),
    st.integers(0, 5),
    st.sampled_from(SCOPES),
)
def test_mining_equals_reference(
    rows: list[list[tuple[float, int]]], ratio: float, min_neg: int, scope: str
) -> None:
    scores, candidates, positives = tensors(rows)
    found = mine_hard_negatives(
        scores, candidates, positives, ratio=ratio, min_neg=min_neg, scope=scope
    )
    expected = reference.mine(
        scores.tolist(), candidates.tolist(), positives.tolist(), ratio, min_neg, scope
    )
    assert found.tolist() == expected
    # neither positives nor ignored anchors, whatever their score
    assert candidates.flatten()[found].all()


def test_scopes_by_hand() -> None:
    # image 0: two positives; image 1: none. r = 1, min_neg 1
    scores = torch.tensor([[9.0, 9, 1, 2, 3], [8.0, 7, 6, 5, 4]])
    positives = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]).bool()
    candidates = ~positives
    settings = {"ratio": 1.0, "min_neg": 1}
    # batch: max(1 * 2, 2 * 1) = 2, the hardest of all lie in image 1
    found = mine_hard_negatives(scores, candidates, positives, scope="batch", **settings)
    assert found.tolist() == [5, 6]
    # image: 2 of image 0, min_neg = 1 of image 1
    found = mine_hard_negatives(scores, candidates, positives, scope="image", **settings)
    assert found.tolist() == [3, 4, 5]


@pytest.mark.parametrize("scope", SCOPES)
def test_ignored_anchors_are_never_mined(scope: str) -> None:
    scores = torch.tensor([[100.0, 1, 0, 50]])
    candidates = torch.tensor([[False, True, True, False]])
    positives = torch.tensor([[False, False, False, True]])
    found = mine_hard_negatives(
        scores, candidates, positives, ratio=math.inf, min_neg=99, scope=scope
    )
    assert found.tolist() == [1, 2]


@pytest.mark.parametrize("scope", SCOPES)
def test_images_without_objects_give_min_neg(scope: str) -> None:
    scores, none = torch.randn(3, 40), torch.zeros(3, 40).bool()
    found = mine_hard_negatives(scores, ~none, none, min_neg=5, scope=scope)
    assert len(found) == 15
    if scope == "image":
        assert (found // 40).bincount().tolist() == [5, 5, 5]


@pytest.mark.parametrize("scope", SCOPES)
def test_defaults_are_3_to_1_and_16(scope: str) -> None:
    scores, positives = torch.randn(2, 200), torch.zeros(2, 200).bool()
    assert len(mine_hard_negatives(scores, ~positives, positives, scope=scope)) == 32
    positives[0, :20] = positives[1, :20] = True
    assert len(mine_hard_negatives(scores, ~positives, positives, scope=scope)) == 120
    ranked = mine_hard_negatives(scores, ~positives, positives, scope="batch")
    assert torch.equal(mine_hard_negatives(scores, ~positives, positives), ranked)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("shape", [(1, 0), (3, 0), (2, 4)])
def test_nothing_to_mine(scope: str, shape: tuple[int, int]) -> None:
    none = torch.zeros(shape).bool()
    found = mine_hard_negatives(torch.zeros(shape), none, none, scope=scope)
    assert found.tolist() == []
    assert found.dtype == torch.long


@pytest.mark.parametrize("num_classes", [1, 80])
def test_rank_by_largest_logit(num_classes: int) -> None:
    """The score of a head with any number of classes: the indices do not change with sigmoid."""
    logits = torch.randn(2, 300, num_classes, dtype=torch.float64)
    none = torch.zeros(2, 300).bool()
    by_logit = mine_hard_negatives(logits.amax(-1), ~none, none, min_neg=30)
    by_prob = mine_hard_negatives(logits.sigmoid().amax(-1), ~none, none, min_neg=30)
    by_loss = mine_hard_negatives(-(-logits.amax(-1)).sigmoid().log(), ~none, none, min_neg=30)
    assert torch.equal(by_logit, by_prob)
    assert torch.equal(by_logit, by_loss)


@given(st.integers(0, 2**16), st.sampled_from(SCOPES))
def test_order_of_anchors_does_not_matter_without_ties(seed: int, scope: str) -> None:
    maker = torch.Generator().manual_seed(seed)
    scores = torch.randperm(60, generator=maker).double().view(2, 30)
    kinds = torch.randint(0, 3, (2, 30), generator=maker)
    order = torch.randperm(30, generator=maker)
    kept = mine_hard_negatives(scores, kinds == 1, kinds == 2, ratio=0.7, min_neg=2, scope=scope)
    moved, kinds = scores[:, order], kinds[:, order]
    found = mine_hard_negatives(moved, kinds == 1, kinds == 2, ratio=0.7, min_neg=2, scope=scope)
    assert set(scores.flatten()[kept].tolist()) == set(moved.flatten()[found].tolist())


def test_inputs_stay_as_they_were() -> None:
    scores, candidates = torch.randn(1, 9), torch.tensor([[True] * 4 + [False] * 5])
    before = scores.clone()
    mine_hard_negatives(scores, candidates, ~candidates)
    assert torch.equal(scores, before)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"scope": "level"}, ValueError, "scope='level': choose one of 'batch', 'image'"),
        ({"ratio": -1.0}, ValueError, "ratio=-1.0: must lie in"),
        ({"ratio": math.nan}, ValueError, "ratio=nan"),
        ({"ratio": "3"}, TypeError, "ratio='3': a number is needed"),
        ({"min_neg": -1}, ValueError, "min_neg=-1: must be at least 0"),
        ({"min_neg": 1.5}, TypeError, "min_neg=1.5: an integer is needed"),
    ],
)
@pytest.mark.parametrize("scope", SCOPES)
def test_bad_settings(
    settings: dict[str, object], error: type[Exception], message: str, scope: str
) -> None:
    none = torch.zeros(1, 4).bool()
    with pytest.raises(error, match=message):
        mine_hard_negatives(torch.zeros(1, 4), ~none, none, **{"scope": scope, **settings})


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match=r"must have one shape \(N, S\)"):
        mine_hard_negatives(torch.zeros(2, 3), torch.ones(2, 3).bool(), torch.ones(2, 2).bool())
    with pytest.raises(ValueError, match=r"must have one shape \(N, S\)"):
        mine_hard_negatives(torch.zeros(3), torch.ones(3).bool(), torch.ones(3).bool())
    with pytest.raises(ValueError, match=r"one-dimensional, not \(2, 3\)"):
        hardest(torch.zeros(2, 3), 1)
    with pytest.raises(ValueError, match="k=-1: must be at least 0"):
        hardest(torch.zeros(3), -1)
