"""Data sets are found at any depth of wrappers."""

from mmthermal.common.dataset_configs import innermost


def test_through_all_wrappers_in_order() -> None:
    one, two, three = (dict(type="CocoDataset", ann_file=f"{k}.json") for k in "abc")
    joined = dict(type="ConcatDataset", datasets=[one, dict(type="RepeatDataset", dataset=two)])
    assert list(innermost(dict(type="MultiImageMixDataset", dataset=joined))) == [one, two]
    assert list(innermost(three)) == [three]


def test_what_is_no_config_has_none() -> None:
    assert [list(innermost(given)) for given in (None, {}, "a.json")] == [[], [], []]
