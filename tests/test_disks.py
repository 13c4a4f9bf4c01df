"""Disks that are full and folders that cannot be written: an error line, and old files stay."""

from collections.abc import Iterator
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest
from helpers_data import ROOT, write_coco
from helpers_kills import CONFIG, fork_server, run_tool_here, run_tool_on_full_disk, words

pytestmark = pytest.mark.slow
TOOLS = ROOT / "tools"


@pytest.fixture(scope="module")
def starter() -> Iterator[BaseContext]:
    with fork_server() as context:
        yield context


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, starter: BaseContext) -> Path:
    """Data, and a run beside them."""
    folder = tmp_path_factory.mktemp("disks")
    root = write_coco(folder / "data", splits={"train": 16, "val": 2, "test": 2})
    train = words(root, folder / "work")[1:]
    process = starter.Process(target=run_tool_here, args=(train, folder / "log"))
    process.start()
    process.join()
    assert process.exitcode == 0, (folder / "log").read_text()[-3000:]
    return root


def command(tool: str, root: Path, out: Path) -> tuple[list[str], list[Path]]:
    """A tool's command that writes into a folder, and the files that it would write."""
    options = words(root, out)[1:]
    options = options[options.index("--cfg-options") :]
    checkpoint = str(root.parent / "work" / "iter_8.pth")
    ann = str(root / "annotations" / "train.json")
    found: dict[str, tuple[list[str], list[str]]] = {
        "train": ([str(CONFIG), "--work-dir", str(out), *options], ["iter_8.pth"]),
        "test": (
            [str(CONFIG), checkpoint, "--work-dir", str(out), "--out", f"{out}/r.pkl", *options],
            ["r.pkl"],
        ),
        "predict": (
            [str(root / "val"), str(CONFIG), checkpoint, "--out", str(out), *options],
            ["predictions.json", "predictions.bbox.json"],
        ),
        "mine_hard_negatives": (
            [str(CONFIG), checkpoint, "--out", f"{out}/h.json", *options],
            ["h.json"],
        ),
        "publish_model": ([checkpoint, f"{out}/p.pth"], []),
        "check_data": (
            [str(root), "--json", f"{out}/c.json", "--html", f"{out}/c.html"],
            ["c.json", "c.html"],
        ),
        "split": (
            [ann, str(out), "--by", "block-of-frames", "--block", "2", "--overwrite"],
            ["train.json", "val.json", "test.json"],
        ),
        "make_synthetic": (["--out", f"{out}/set", "--num-train", "4", "--workers", "1"], []),
    }
    arguments, files = found[tool]
    return [str(TOOLS / f"{tool}.py"), *arguments], [out / name for name in files]


ALL = (
    "train",
    "test",
    "predict",
    "mine_hard_negatives",
    "publish_model",
    "check_data",
    "split",
    "make_synthetic",
)


def run(starter: BaseContext, words: list[str], space: int) -> tuple[int, str]:
    """Exit status and output of a tool that can write so many bytes into a file."""
    here, there = starter.Pipe()
    process = starter.Process(target=run_tool_on_full_disk, args=(words, space, there))
    process.start()
    status, said = here.recv()
    process.join()
    return status, said


@pytest.mark.parametrize("tool", ALL)
def test_a_full_disk(starter: BaseContext, root: Path, tmp_path: Path, tool: str) -> None:
    """Files of more than 100 bytes can't be written."""
    words, files = command(tool, root, tmp_path / "out")
    (tmp_path / "out").mkdir()
    for file in files:
        file.write_text("old")
    status, said = run(starter, words, 100)
    assert status != 0 and "File too large" in said
    assert "Traceback" not in said, said
    assert [file.read_text() for file in files] == ["old"] * len(files)


def test_a_disk_that_is_full_for_a_checkpoint(
    starter: BaseContext, root: Path, tmp_path: Path
) -> None:
    words, _ = command("train", root, tmp_path)
    status, said = run(starter, words, 500_000)
    assert status != 0 and "error: " in said and "File too large" in said
    assert list(tmp_path.glob("*.pth*")) == list(tmp_path.glob(".*.pth*")) == []


@pytest.mark.parametrize("tool", ALL)
def test_a_folder_that_cannot_be_written(
    starter: BaseContext, root: Path, tmp_path: Path, tool: str
) -> None:
    """A file stands where the folder should be, which stops root, too."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    words, _ = command(tool, root, blocked / "inside")
    status, said = run(starter, words, 10**9)
    assert status != 0 and "Not a directory" in said
    assert "Traceback" not in said, said
    assert blocked.read_text() == ""
