"""Files are whole or not at all."""

import json
import math
import os
from pathlib import Path

import pytest

from mmthermal.common import files
from mmthermal.common.files import (
    file_sha256,
    files_below,
    read_json,
    walk,
    whole_folder,
    without_mark,
    write_bytes,
    write_json,
    write_text,
)


def test_written_whole_in_a_new_folder(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a" / "b.txt", "grüße\n")
    assert path.read_text(encoding="utf-8") == "grüße\n"
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_bytes_and_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    data = bytes(range(256))
    assert write_bytes(tmp_path / "a" / "b.bin", data).read_bytes() == data
    assert write_text(tmp_path / "c.txt", "a\r\nb\n").read_bytes() == b"a\r\nb\n"


def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_text(tmp_path / "a.txt", "old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_json_goes_round_and_refuses_nan(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"x": [1, None]})
    assert read_json(path, what="figures") == {"x": [1, None]}
    for content, words in (
        (float("nan"), "the content is nan"),
        (
            {"annotations": [{"id": 1}, {"box": (1, -math.inf)}]},
            r"annotations\[1\].box\[1\] is -inf",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            write_json(path, content)
    assert json.loads(path.read_text()) == {"x": [1, None]}


def test_readable_by_others_as_any_new_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    assert write_text(tmp_path / "ours", "").stat().st_mode == plain.stat().st_mode


def test_errors_name_the_file_and_its_purpose(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"predictions .*none.json' does not exist"):
        read_json(tmp_path / "none.json", what="predictions")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match=r"predictions .*bad.json' is not valid JSON"):
        read_json(tmp_path / "bad.json", what="predictions")


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with whole_folder(tmp_path / "a" / "b") as work:
            assert list(work.iterdir()) == []
            (work / f"{text}.txt").write_text(text)
            assert not (tmp_path / "a" / "b" / "new.txt").exists()
        assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == [f"{text}.txt"]
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_a_failing_folder_leaves_the_old_one(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "b") as work:
        (work / "old.txt").write_text("old")
    with pytest.raises(OSError, match="disk full"), whole_folder(tmp_path / "b") as work:
        (work / "new.txt").write_text("new")
        raise OSError("disk full")
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["old.txt"]


def test_a_folder_behind_a_link_is_replaced_there(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/old.txt").touch()
    (tmp_path / "link").symlink_to(tmp_path / "disk", target_is_directory=True)
    with whole_folder(tmp_path / "link") as work:
        (work / "new.txt").touch()
    assert (tmp_path / "link").is_symlink()
    assert [p.name for p in (tmp_path / "disk").iterdir()] == ["new.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["disk", "link"]


@pytest.mark.parametrize("fails", [1, 2])
def test_a_rename_that_fails_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/old.txt").touch()
    calls, replace = [], os.replace

    def failing(source: object, target: object) -> None:
        calls.append(source)
        if len(calls) == fails:
            raise OSError("device busy")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", failing)
    with pytest.raises(OSError, match="device busy"), whole_folder(tmp_path / "b"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["old.txt"]


def test_a_copy_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("content")
    assert files.copy_file(tmp_path / "a", tmp_path / "deep" / "b").read_text() == "content"

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(files.shutil, "copy2", fail)
    with pytest.raises(OSError, match="disk full"):
        files.copy_file(tmp_path / "a", tmp_path / "deep" / "c")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["b"]


def test_a_byte_order_mark_is_left_out_for_a_while(tmp_path: Path) -> None:
    marked = write_bytes(tmp_path / "a.json", b"\xef\xbb\xbf{}")
    plain = write_bytes(tmp_path / "b.json", b"{}")
    for given in (marked, str(marked)):
        with without_mark(given) as path:
            assert path != str(marked)
            assert Path(path).read_bytes() == b"{}"
        assert not Path(path).exists()
    assert marked.read_bytes() == b"\xef\xbb\xbf{}"
    for given in (plain, str(plain), tmp_path, "s3://bucket/a.json", None, ["a"]):
        with without_mark(given) as path:
            assert path is given


def test_files_below_a_folder_as_rglob_finds_them(tmp_path: Path) -> None:
    for name in ("b.txt", "a/2", "a/1", "a-1", "a/deep/er/c", ".hidden/d"):
        write_text(tmp_path / name, "")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").symlink_to(tmp_path / "none")
    (tmp_path / "file").symlink_to(tmp_path / "b.txt")
    expected = sorted(path for path in tmp_path.rglob("*") if not path.is_dir())
    assert len(expected) == 8
    assert files_below(tmp_path) == files_below(str(tmp_path)) == expected


def test_folders_behind_links_come_once_and_by_their_own_path(tmp_path: Path) -> None:
    write_text(tmp_path / "set" / "own" / "1", "")
    write_text(tmp_path / "disk" / "far" / "2", "")
    write_text(tmp_path / "other", "")
    root = tmp_path / "set"
    (root / "another").symlink_to(root / "own")
    (root / "link").symlink_to(tmp_path / "disk")
    (root / "same").symlink_to(tmp_path / "disk" / "far")
    (root / "self").symlink_to(root)
    (root / "own" / "above").symlink_to(tmp_path)
    (tmp_path / "disk" / "far" / "back").symlink_to(root / "own")
    (tmp_path / "begin").symlink_to(root)
    assert files_below(root) == [root / "link/far/2", root / "own/1"]
    begin = tmp_path / "begin"
    assert files_below(begin) == [begin / "link/far/2", begin / "own/1"]
    assert [path for path, _ in walk(root)] == [
        root,
        root / "own",
        root / "link",
        root / "link/far",
    ]


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4
    assert file_sha256(tmp_path / "abc") == expected
