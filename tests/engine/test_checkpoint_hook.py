"""Checkpoints are whole, and older ones stay until the new one is."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from helpers_trust import train, tree
from mmengine.fileio import get_file_backend

from mmthermal.common.safe_loading import load_file
from mmthermal.engine.checkpoint_hook import BACKEND, SafeCheckpointHook


def test_the_backend_writes_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = get_file_backend(str(tmp_path), backend_args={"backend": BACKEND})
    backend.put(b"old", tmp_path / "a.pth")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        backend.put(b"new and longer", tmp_path / "a.pth")
    assert (tmp_path / "a.pth").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]


def test_a_folder_elsewhere_keeps_its_backend() -> None:
    assert SafeCheckpointHook().backend_args == {"backend": BACKEND}
    assert SafeCheckpointHook(out_dir="/mnt/work").backend_args == {"backend": BACKEND}
    assert SafeCheckpointHook(out_dir="s3://bucket/work").backend_args is None


def test_a_full_disk_leaves_the_checkpoint_of_before(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With max_keep_ckpts=1 mmengine deletes it before it writes the next one."""
    sync, number = os.fsync, []

    def full_later(handle: int) -> None:
        number.append(handle)
        if len(number) > 2:  # the first checkpoint and the file that names it
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_later)
        with pytest.raises(OSError, match="No space left"):
            train(root, tmp_path, epochs=3, default_hooks__checkpoint__max_keep_ckpts=1)
    assert tree(tmp_path, "*.pth") == ["epoch_1.pth"]
    assert (tmp_path / "last_checkpoint").read_text().endswith("epoch_1.pth")
    runner = train(root, tmp_path, epochs=3, resume=True)
    assert runner.epoch == 3


@pytest.mark.parametrize("keep", [1, 2])
def test_as_many_as_wanted_stay(root: Path, tmp_path: Path, keep: int) -> None:
    (tmp_path / ".epoch_9.pth.x1y2").write_text("left by a kill")
    train(root, tmp_path, epochs=3, default_hooks__checkpoint__max_keep_ckpts=keep)
    assert tree(tmp_path, "*.pth") == [f"epoch_{n}.pth" for n in range(4 - keep, 4)]
    assert not (tmp_path / ".epoch_9.pth.x1y2").exists()


def test_the_best_one_stays_until_a_better_one_is_there(root: Path, tmp_path: Path) -> None:
    """In a copy of the folder, too, whose own best one goes and not that of the first."""
    first, second = tmp_path / "first", tmp_path / "second"
    train(root, first, epochs=3, figures=[0.1, 0.3, 0.2])
    assert tree(first, "best*") == ["best_AP_epoch_2.pth"]
    shutil.copytree(first, second)
    train(root, second, epochs=4, figures=[0.4], resume=True)
    assert tree(first, "best*") == ["best_AP_epoch_2.pth"]
    assert tree(second, "best*") == ["best_AP_epoch_4.pth"]
    load_file(second / "best_AP_epoch_4.pth")


def test_a_better_one_of_the_same_name_stays(root: Path, tmp_path: Path) -> None:
    checkpoint = dict(filename_tmpl="newest.pth", max_keep_ckpts=1)
    options = {f"default_hooks__checkpoint__{key}": value for key, value in checkpoint.items()}
    train(root, tmp_path, epochs=2, figures=[0.1, 0.3], **options)
    assert tree(tmp_path, "*.pth") == ["best_AP_newest.pth", "newest.pth"]
