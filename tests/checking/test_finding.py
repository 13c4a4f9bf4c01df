"""Findings: order, examples, JSON."""

import json

import numpy as np
import pytest

from mmthermal.checking.finding import (
    EXAMPLES,
    Finding,
    has_errors,
    in_words,
    of_annotations,
    some,
    worst_first,
)


def finding(severity="note", count=0, total=0):
    return Finding(severity, "code", "was found", "do this", count=count, total=total)


def test_the_worst_comes_first_then_the_larger_share() -> None:
    rows = [finding(), finding("error", 1, 10), finding("warning"), finding("error", 5, 10)]
    assert [(f.severity, f.count) for f in worst_first(rows)] == [
        ("error", 5),
        ("error", 1),
        ("warning", 0),
        ("note", 0),
    ]


def test_one_is_no_plural() -> None:
    assert in_words({"error": 1, "warning": 0, "note": 2}) == "1 error, 0 warnings, 2 notes"


def test_only_an_error_spoils_a_training() -> None:
    assert not has_errors([finding(), finding("warning")])
    assert has_errors([finding(), finding("error")])


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="severity='bad'"):
        finding("bad")


def test_few_examples_are_kept_and_json_takes_a_finding() -> None:
    assert some(range(100)) == tuple(str(i) for i in range(EXAMPLES))
    assert json.loads(json.dumps(finding("error", 1, 2).at("train").to_dict()))["where"] == "train"


def test_annotations_are_named_by_their_ids() -> None:
    mask = np.array([True, False, True])
    (found,) = of_annotations("note", "code", mask, [7, "b", 9], "are odd", "do this")
    assert (found.message, found.remedy) == ("2 of 3 annotations are odd", "do this")
    assert (found.count, found.total) == (2, 3)
    assert found.examples == ("annotation 7", "annotation 9")
    assert of_annotations("note", "code", ~mask & mask, [7, "b", 9], "are odd", "do this") == []


def test_the_share_goes_before_the_number() -> None:
    rows = [finding("error", 6, 100), finding("error", 5, 10), finding("error", 7, 100)]
    assert [f.count for f in worst_first(rows)] == [5, 7, 6]
