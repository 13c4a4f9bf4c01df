"""Ctrl-C ends a tool with one line."""

import runpy
import sys
from pathlib import Path

import pytest

from mmthermal.common.interrupts import says_how_to_go_on

TOOLS = Path(__file__).parents[2] / "tools"


def test_one_line_and_the_status_of_shells(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught, says_how_to_go_on("do it again"):
        raise KeyboardInterrupt
    assert caught.value.code == 130
    assert capsys.readouterr().err.strip() == "interrupted: do it again"


def test_one_process_of_a_launcher_says_it(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(SystemExit) as caught, says_how_to_go_on("do it again"):
        raise KeyboardInterrupt
    assert caught.value.code == 130
    assert capsys.readouterr().err == ""


def test_all_else_passes() -> None:
    with says_how_to_go_on("x"):
        pass
    with pytest.raises(ValueError, match="other"), says_how_to_go_on("x"):
        raise ValueError("other")


@pytest.mark.parametrize(
    ("tool", "place", "words", "said"),
    [
        ("compare", "studies.command.compare_command", "--runs a --runs b", "where it stopped"),
        ("study", "studies.variants.read_study", "train a.py", "where it stopped"),
        ("bootstrap", "studies.bootstrap.bootstrap", "a.py", "where it stopped"),
        ("mine_hard_negatives", "engine.launch.load_config", "a.py b.pth", "where it stopped"),
        ("train", "engine.launch.load_config", "a.py", "with --resume"),
    ],
)
def test_tools_say_how_to_go_on(
    tool: str,
    place: str,
    words: str,
    said: str,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*args: object, **settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"mmthermal.{place}", interrupted)
    monkeypatch.setattr(sys, "argv", [tool, *words.split()])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(TOOLS / f"{tool}.py"), run_name="__main__")
    assert caught.value.code == 130
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("interrupted: ") and said in line
