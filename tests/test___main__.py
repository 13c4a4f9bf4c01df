"""python -m mmthermal TOOL."""

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from mmthermal.__main__ import main

ROOT = Path(__file__).resolve().parents[1]


def test_the_tool_gets_the_arguments_after_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(runpy, "run_path", lambda path, run_name: seen.append((path, run_name)))
    main(["train", "retina_composite", "--amp"])
    tool = str(ROOT / "tools" / "train.py")
    assert seen == [(tool, "__main__")]
    assert sys.argv == [tool, "retina_composite", "--amp"]


@pytest.mark.parametrize(("words", "code"), [([], 2), (["--help"], 0), (["tarin"], 2)])
def test_without_a_tool_they_are_listed(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == code
    out, err = capsys.readouterr()
    text = err if code else out
    assert "\n  train               Train a detector: " in text
    assert "setup_env" not in text
