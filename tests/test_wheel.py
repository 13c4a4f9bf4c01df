"""The wheel in an environment of its own: torch, mmthermal[lite], no clone, no compiler."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

import pytest
from helpers_data import as_arguments, data_options, small_options, write_coco
from test_foreign_config import TINY
from test_readme import blocks

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")
UNREACHED = ("No matching distribution", "Failed to establish a new connection", "ConnectionError")


def run(command: Sequence[str | Path], cwd: Path) -> str:
    """Run a command without compilers and without this project on the path.

    Skips where the registry of packages can't be reached.
    """
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env |= dict(CC="/bin/false", CXX="/bin/false")
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True
    )
    log = done.stdout + done.stderr
    if done.returncode and any(word in log for word in UNREACHED):
        pytest.skip(f"the registry of packages can't be reached: {log[-300:]}")
    assert done.returncode == 0, log[-3000:]
    return log


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="build is not installed: pip install build twine")
    source = tmp_path_factory.mktemp("source")
    for part in PARTS:
        shutil.copy(ROOT / part, source)
    for folder in ("configs", "tools", "mmthermal"):
        shutil.copytree(ROOT / folder, source / folder)
    run([sys.executable, "-m", "build", source], source)  # the wheel from the source distribution
    files = sorted((source / "dist").iterdir())
    assert [file.suffix for file in files] == [".whl", ".gz"]
    log = run([sys.executable, "-m", "twine", "check", "--strict", *files], source)
    assert log.count("PASSED") == 2
    return files[0]


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's Python; torch is linked from here, the rest comes from the registry."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    made = next(folder.glob("lib/*/site-packages"))
    torch = distribution("torch")
    site = Path(str(torch.locate_file("")))
    for name in {file.parts[0] for file in torch.files or () if file.parts[0] != ".."}:
        (made / name).symlink_to(site / name)
    python = folder / "bin" / "python"
    run([python, "-m", "pip", "install", "--only-binary", ":all:", f"{wheel}[lite]"], folder)
    return python


@pytest.mark.slow
def test_the_wheel_holds_all_that_the_package_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        held = {name for name in content.namelist() if ".dist-info/" not in name}
    expected = {
        f"mmthermal/.mim/{path.relative_to(ROOT).as_posix()}"
        for folder in ("configs", "tools")
        for path in (ROOT / folder).rglob("*.*")
    } | {path.relative_to(ROOT).as_posix() for path in (ROOT / "mmthermal").rglob("*.*")}
    assert held == {name for name in expected if "__pycache__" not in name}


@pytest.mark.slow
def test_the_readmes_config_trains_outside_the_project(python: Path, tmp_path: Path) -> None:
    root = write_coco(tmp_path / "data", splits={"train": 8}, bits=8)
    config = tmp_path / "mine.py"
    config.write_text(blocks("python")[0] + TINY.format(root=f"{root}/"), encoding="utf-8")
    log = run(
        [python, "-m", "mmthermal", "train", config, "--work-dir", tmp_path / "work"], tmp_path
    )
    assert "Epoch(train) [1][2/2]" in log
    assert "rank: " in log


@pytest.mark.slow
def test_a_config_of_the_wheel_trains_and_tests_by_its_name(python: Path, tmp_path: Path) -> None:
    root = write_coco(tmp_path / "data")
    short = {"train_cfg.max_epochs": 1, "train_cfg.val_interval": 1}
    options = as_arguments({**data_options(root), **small_options(), **short})
    command = [python, "-m", "mmthermal"]
    log = run([*command, "train", "retina_composite", "--work-dir", "out", *options], tmp_path)
    assert "Epoch(val) [1][1/1]" in log
    log = run([*command, "test", "out/retina_composite.py", "out/epoch_1.pth"], tmp_path)
    assert "coco/bbox_mAP: " in log
    assert (tmp_path / "out" / "epoch_1.pth").is_file()
