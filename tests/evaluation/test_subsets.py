"""The rules of subsets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmthermal.evaluation.subsets import (
    AREA_SUBSETS,
    DEFAULT_SUBSETS,
    Subset,
    check_subsets,
    to_subset,
)


def test_a_subset_excludes_its_lower_and_includes_its_upper_bound() -> None:
    subset = Subset("x", "iou", above=0.1, upto=0.3)
    np.testing.assert_array_equal(subset.select([0.1, 0.11, 0.3, 0.31]), [False, True, True, False])
    assert subset.rule == "largest IoU with another ground truth > 0.1 and ≤ 0.3"


def test_area_ranges_include_both_ends_as_in_coco() -> None:
    by_name = {subset.name: subset.select([0, 1024, 9216]).tolist() for subset in AREA_SUBSETS}
    assert by_name == {
        "small": [True, True, False],
        "medium": [False, True, True],
        "large": [False, False, True],
    }


@given(value=st.floats(0, 1))
def test_default_bins_split_the_objects(value: float) -> None:
    by_name = {subset.name: bool(subset.select([value])[0]) for subset in DEFAULT_SUBSETS}
    assert by_name["overlapped"] != by_name["isolated"]
    assert sum(inside for name, inside in by_name.items() if name.startswith("covered")) == 1
    assert by_name["overlapped@0.5"] <= by_name["overlapped@0.3"] <= by_name["overlapped"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": ""}, "needs a name"),
        ({"name": "x", "key": "giou", "above": 0.1}, "choose one of 'iou'"),
        ({"name": "x", "key": "iou"}, "give above or upto"),
        ({"name": "x", "above": 0.1}, "no key"),
        ({"name": "x", "key": "iou", "above": 0.5, "upto": 0.5}, "smaller than"),
    ],
)
def test_bad_subsets(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Subset(**settings)


def test_all_is_put_in_front_once() -> None:
    part = Subset("part", "iou", above=0.1)
    assert [subset.name for subset in check_subsets([part])] == ["all", "part"]
    assert check_subsets(DEFAULT_SUBSETS) == DEFAULT_SUBSETS
    with pytest.raises(ValueError, match="twice: part"):
        check_subsets([part, part])
    with pytest.raises(ValueError, match="'all' is kept"):
        check_subsets([Subset("all", "iou", above=0.1)])
    with pytest.raises(TypeError, match="not a Subset"):
        check_subsets([{"name": "part"}])


def test_a_config_s_dict_becomes_a_subset() -> None:
    hidden = Subset("hidden", "covered", above=0.5)
    assert to_subset({"name": "hidden", "key": "covered", "above": 0.5}) == hidden
    assert to_subset(hidden) is hidden
    with pytest.raises(ValueError, match="'kind': 'iou'} is not a Subset: write dict"):
        to_subset({"name": "x", "kind": "iou"})
