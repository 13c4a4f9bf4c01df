"""Configs by path and by name."""

from pathlib import Path

import pytest

from mmthermal.common import installed
from mmthermal.common.installed import ROOT, find_config, tool_command

CLONE = Path(__file__).resolve().parents[2]


def test_in_a_clone_they_are_the_clones() -> None:
    assert ROOT == CLONE


def test_a_tool_is_called_by_its_file_in_a_clone_else_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert tool_command("train") == "python tools/train.py"
    monkeypatch.setattr(installed, "ROOT", CLONE / "mmthermal" / ".mim")
    assert tool_command("train") == "python -m mmthermal train"


@pytest.mark.parametrize(
    "name",
    [
        "retina_composite",
        "retina_composite.py",
        "thermal/retina_composite",
        "configs/thermal/retina_composite.py",
    ],
)
def test_a_name_is_found_from_any_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == CLONE / "configs/thermal/retina_composite.py"


def test_a_file_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("retina_composite.py").touch()
    assert find_config("retina_composite.py") == Path("retina_composite.py")


def test_names_are_unique() -> None:
    stems = [file.stem for file in (CLONE / "configs").glob("*/*.py")]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("retina_compsite", "did you mean 'retina_composite'?"),
        ("/no/such/file.py", "give a .py config file, or the name of one of ours"),
        ("_base_/default_runtime.py", "give a .py config file"),
    ],
)
def test_what_is_neither_is_refused(name: str, hint: str) -> None:
    with pytest.raises(FileNotFoundError) as error:
        find_config(name)
    assert str(error.value).startswith(f"config {name!r} does not exist: ")
    assert hint in str(error.value)
