"""What becomes of findings: errors stop, doubts are said once, codes can be accepted."""

import pytest

from mmthermal.checking.finding import Finding
from mmthermal.checking.settling import known_codes, settle


def finding(severity: str, code: str) -> Finding:
    return Finding(severity, code, f"a {code}", "do this", where="a.json", examples=("image 3",))


def test_all_errors_stand_in_one_message(said: list[str]) -> None:
    findings = [finding("warning", "w"), finding("error", "e1"), finding("error", "e2")]
    with pytest.raises(ValueError, match=r"data\.accept=\['e1', 'e2'\]") as caught:
        settle(findings, setting="data.accept")
    text = str(caught.value)
    assert "a.json: a e1 (image 3). To do: do this [e1]" in text and "[e2]" in text
    assert "[w]" not in text and len(said) == 1


def test_warnings_are_said_once_and_notes_not(said: list[str]) -> None:
    for _ in range(3):
        settle([finding("warning", "w"), finding("note", "n")])
    assert said == ["a.json: a w (image 3). To do: do this [w]"]


def test_accepted_codes(said: list[str]) -> None:
    settle([finding("warning", "w"), finding("error", "e")], accept=("w", "e"))
    assert said == ["accepted: a.json: a e (image 3). To do: do this [e]"]


def test_doubtful_errors_warn(said: list[str]) -> None:
    settle([finding("error", "e")], doubtful=("e",))
    assert said == ["a.json: a e (image 3). To do: do this [e]"]


@pytest.mark.parametrize(
    "code", ["not-a-number", "class-not-listed", "class-order", "duplicate-annotation-id"]
)
def test_what_would_fail_anyhow_cannot_be_accepted(said: list[str], code: str) -> None:
    with pytest.raises(ValueError, match=code) as caught:
        settle([finding("error", code)], accept=(code,))
    assert "If that is meant" not in str(caught.value)


def test_a_misspelt_code_is_named() -> None:
    assert known_codes("no-area", ("no-area",), "x") == known_codes(["no-area"], ("no-area",), "x")
    with pytest.raises(ValueError, match=r"data\.accept: .*'no-aera': did you mean 'no-area'"):
        known_codes(["no-aera"], ("no-area", "all-crowd"), "data.accept")
