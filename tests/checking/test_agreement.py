"""Classes and images that two parts of a run see differently."""

from pathlib import Path
from typing import Any

import pytest

from mmthermal.checking.agreement import (
    CODES,
    check_files,
    check_joined,
    check_text_ids,
    compare_classes,
    compare_images,
)

ROOT = Path(__file__).resolve().parents[2]


def test_the_pages_name_every_code() -> None:
    pages = "".join((ROOT / f"docs/{name}.md").read_text() for name in ("faults", "check_data"))
    others = ("normalisation-does-not-fit", "num-classes-differ", "scale-differs")
    assert [code for code in (*CODES, *others) if f"`{code}`" not in pages] == []


@pytest.mark.parametrize(
    ("other", "severity"),
    [
        (("person", "vehicle"), None),
        (("vehicle", "person"), "error"),
        (("person",), "error"),
        (("person", "vehicle", "bicycle"), "error"),
        (("vehicle", "bus"), "error"),  # vehicle has moved
        (("person", "car"), "warning"),  # renamed, at the same place
    ],
)
def test_classes(other: tuple[str, ...], severity: str | None) -> None:
    found = compare_classes(("person", "vehicle"), list(other), ("train", "val"))
    assert [f.severity for f in found] == ([severity] if severity else [])
    if found:
        assert found[0].code == "classes-differ"
        assert "train has the classes person, vehicle; val has" in found[0].message


def test_joined_sets() -> None:
    first, other = dict(classes=("a", "b"), palette=[1]), dict(classes=("b", "a"), palette=[1])
    assert check_joined([first, dict(first)], "train") == []
    (found,) = check_joined([first, first, other], "train")
    assert (found.severity, found.code) == ("error", "classes-differ")
    assert "train, set 3 has b, a" in found.message
    (found,) = check_joined([first, dict(classes=("a", "c"), palette=[1])], "train")
    assert found.severity == "error"  # the hooks of mmdet fail with renamed classes, too
    (found,) = check_joined([first, dict(classes=("a", "b"), palette=[2])], "train")
    assert found.code == "metainfo-differs" and "ignore_keys=['palette']" in found.remedy


RECORDS = {i: dict(id=i, file_name=f"clip/{i}.png") for i in (1, 2, 3)}
LOADED: list[tuple[Any, str]] = [(i, f"/data/val/clip/{i}.png") for i in (1, 2, 3)]


@pytest.mark.parametrize(
    ("loaded", "same_file", "expected"),
    [
        (LOADED, False, []),
        ([(i, path.replace("/", "\\")) for i, path in LOADED], False, []),
        (LOADED[:2], False, [("error", "1 of 3 images of the evaluator's file are not loaded")]),
        (LOADED[:2], True, [("warning", "1 of 3 images")]),  # indices=2 of the data set
        ([*LOADED, (4, "/data/val/clip/4.png")], True, [("error", "1 ids of its images are not")]),
        ([(1, "/data/val/clip/7.png"), *LOADED[1:]], False, [("error", "1 of its images have an")]),
        ([*LOADED, *LOADED], True, []),  # a wrapper that repeats images
        (
            [*LOADED, (1, "/second/clip/1.png")],
            True,
            [("error", "1 pairs of images have one id, so that one record judges both")],
        ),
    ],
)
def test_images(
    loaded: list[tuple[Any, str]], same_file: bool, expected: list[tuple[str, str]]
) -> None:
    found = compare_images(loaded, RECORDS, name="val", same_file=same_file)
    assert len(found) == len(expected)
    for finding, (severity, words) in zip(found, expected, strict=True):
        assert finding.severity == severity and words in finding.message
        assert finding.code == "evaluator-of-other-images" and "val_evaluator" in finding.remedy


def test_a_name_is_no_part_of_a_longer_one() -> None:
    records = {1: dict(id=1, file_name="1.png")}
    assert len(compare_images([(1, "/data/11.png")], records, name="val", same_file=True)) == 1
    records = {1: dict(id=1, file_name="./1.png")}
    assert compare_images([(1, "/data/1.png")], records, name="val", same_file=True) == []


def test_pictures_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    here, gone, nowhere = (str(tmp_path / name) for name in ("a.png", "b.png", "folder/a.png"))
    assert check_files([here, "s3://bucket/b.png", ""], "val") == []
    (found,) = check_files([here, gone, nowhere], "val")
    assert (found.severity, found.code, found.examples) == (
        "error",
        "missing-image",
        (gone, nowhere),
    )
    assert found.message == "val: 2 of 3 pictures don't exist"


def test_links_and_folders_in_place_of_pictures(tmp_path: Path) -> None:
    names = ("a.png", "link.png", "chain.png", "broken.png", "loop.png", "folder.png", "to.png")
    paths = {name: tmp_path / name for name in names}
    paths["a.png"].touch()
    paths["link.png"].symlink_to("a.png")
    paths["chain.png"].symlink_to("link.png")
    paths["broken.png"].symlink_to(tmp_path / "nowhere.png")
    paths["loop.png"].symlink_to("loop.png")
    paths["folder.png"].mkdir()
    paths["to.png"].symlink_to("folder.png", target_is_directory=True)
    gone = tmp_path / "gone.png"
    (found,) = check_files([*map(str, paths.values()), str(gone)], "val")
    assert found.examples == (*(str(paths[name]) for name in names[3:]), str(gone))
    text = "val: 5 of 8 pictures don't exist (4 of them are broken links or folders)"
    assert found.message == text


def test_files_of_a_folder_cost_no_look_at_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(tmp_path / f"{i}.png") for i in range(5)]
    for path in paths:
        Path(path).touch()
    monkeypatch.setattr("os.path.isfile", None)
    assert check_files(paths, "val") == []


def test_ids_that_are_texts() -> None:
    assert check_text_ids([1, 2, "3"], "val") == []
    (found,) = check_text_ids([1, "uuid-2"], "val")
    assert found.code == "string-id" and "OverlapCocoMetric" in found.remedy
