"""Splits: units stay together, parts get their shares, the same seed gives the same files."""

import json

import cv2
import numpy as np
import pytest
from helpers_data import ROOT, run_tool
from helpers_source import load_script

from mmthermal.checking.command import check_data
from mmthermal.checking.table import make_table
from mmthermal.convert.split import (
    assign,
    features,
    find_units,
    split_set,
    to_text,
)

DATA = ROOT.parent / "shared" / "data" / "hituav160"


def whole(number=200, units=40):
    """Images of 40 sequences of five; every second object of class 2 overlaps."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(number):
        sequence = i % units
        images.append(
            dict(id=i + 1, file_name=f"s{sequence}_{i:04d}.png", width=96, height=64, seq=sequence,
                 sequence=f"s{sequence}")
        )  # fmt: skip
        for k in range(int(rng.integers(0, 5))):
            kind = 1 + int(rng.random() < 0.2)
            box = [10 * k if rng.random() < 0.5 else 20 * k, 5, 12, 18]
            annotations.append(
                dict(id=len(annotations) + 1, image_id=i + 1, category_id=kind,
                     bbox=box, area=216, iscrowd=0)
            )  # fmt: skip
    return dict(
        info=dict(description="mine"),
        images=images,
        annotations=annotations,
        categories=[dict(id=1, name="person"), dict(id=2, name="bicycle")],
    )


@pytest.fixture
def ann_file(tmp_path):
    path = tmp_path / "all.json"
    path.write_text(json.dumps(whole()))
    return path


def read(out, name):
    return json.loads((out / f"{name}.json").read_text())


def test_no_sequence_is_in_two_parts_and_nothing_is_lost(ann_file, tmp_path) -> None:
    parts = split_set(ann_file, tmp_path / "out")
    found = {part.name: read(tmp_path / "out", part.name) for part in parts}
    assert list(found) == ["train", "val", "test"]
    units = [{image["sequence"] for image in part["images"]} for part in found.values()]
    assert sum(map(len, units)) == len(set.union(*units)) == 40
    assert [part.units for part in parts] == [len(u) for u in units]
    before = whole()
    for key in ("images", "annotations"):
        rows = [row for part in found.values() for row in part[key]]
        assert sorted(rows, key=lambda r: r["id"]) == before[key]
    for part in found.values():
        assert part["info"] == before["info"] and part["categories"] == before["categories"]
        ids = {image["id"] for image in part["images"]}
        assert all(a["image_id"] in ids for a in part["annotations"])


def test_parts_get_their_share_of_classes_and_overlap(ann_file, tmp_path) -> None:
    parts = split_set(ann_file, tmp_path / "out", parts=dict(train=3, val=1))
    total = features(make_table(whole())).sum(axis=0)
    val = features(make_table(read(tmp_path / "out", "val"))).sum(axis=0)
    assert val / total == pytest.approx(np.full(4, 0.25), abs=0.03)
    assert "bicycle" in to_text(parts).splitlines()[0]


def test_the_same_seed_gives_the_same_files(ann_file, tmp_path) -> None:
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        split_set(ann_file, tmp_path / out, seed=seed)
    assert (tmp_path / "a/val.json").read_bytes() == (tmp_path / "b/val.json").read_bytes()
    assert (tmp_path / "a/val.json").read_bytes() != (tmp_path / "c/val.json").read_bytes()


def test_features_are_counts() -> None:
    content = whole(2)
    content["annotations"] = [
        dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 12, 18], area=216, iscrowd=0),
        dict(id=2, image_id=1, category_id=2, bbox=[4, 0, 12, 18], area=216, iscrowd=0),
        dict(id=3, image_id=1, category_id=2, bbox=[60, 0, 12, 18], area=216, iscrowd=0),
        dict(id=4, image_id=2, category_id=2, bbox=[60, 0, 12, 18], area=216, iscrowd=1),
    ]
    assert features(make_table(content)).tolist() == [[1, 1, 2, 2], [1, 0, 0, 0]]


def test_units_by_field_name_and_block() -> None:
    content = whole(12, 3)
    assert find_units(content, "") == find_units(content, "sequence")
    assert find_units(content, "seq") == [str(i % 3) for i in range(12)]
    assert find_units(content, "name") == [f"s{i % 3}" for i in range(12)]
    # in the order of the names: all of s0, then s1, then s2
    assert find_units(content, "block-of-frames", block=4) == [str(i % 3) for i in range(12)]
    with pytest.raises(ValueError, match="by='block'"):
        find_units(content, "block")
    del content["images"][0]["seq"]
    with pytest.raises(ValueError, match="1 of 12 images lack"):
        find_units(content, "seq")


def test_near_copies_stay_together(tmp_path) -> None:
    content = whole(12, 3)
    rng = np.random.default_rng(3)
    scenes = [np.kron(rng.normal(100, 20, (8, 12)), np.ones((8, 8))) for _ in range(4)]
    for i, image in enumerate(content["images"]):
        noisy = scenes[i % 4] + rng.normal(0, 2, (64, 96))
        cv2.imwrite(str(tmp_path / image["file_name"]), noisy.clip(0, 255).astype(np.uint8))
    assert find_units(content, "near-copies", img_dir=tmp_path) == [str(i % 4) for i in range(12)]
    with pytest.raises(ValueError, match="give img_dir"):
        find_units(content, "near-copies")
    with pytest.raises(ValueError, match="12 pictures can't be read"):
        find_units(content, "near-copies", img_dir=tmp_path / "no")


def test_a_part_is_never_empty() -> None:
    counts = np.ones((5, 1))
    found = assign(["a", "a", "a", "b", "c"], counts, [8, 1, 1], 0)
    assert set(found.tolist()) == {0, 1, 2}
    with pytest.raises(ValueError, match="2 sequences can't be split into 3"):
        assign(["a", "a", "b", "b", "b"], counts, [8, 1, 1], 0)


def test_what_does_not_fit_is_refused(ann_file, tmp_path) -> None:
    with pytest.raises(ValueError, match="at least two parts"):
        split_set(ann_file, tmp_path / "out", parts=dict(train=1))
    with pytest.raises(ValueError, match="at least two parts"):
        split_set(ann_file, tmp_path / "out", parts=dict(train=1, val=0))
    with pytest.raises(ValueError, match="at least two parts"):
        split_set(ann_file, tmp_path / "out", parts=dict(train=1, val=float("nan")))
    content = whole()
    content["images"][0]["id"] = 2
    ann_file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"check_data\.py"):
        split_set(ann_file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not here")
def test_a_split_by_frame_leaks_and_one_by_block_does_not(tmp_path) -> None:
    """The check warns of the one and not of the other, on real frames."""
    content = json.loads((DATA / "annotations" / "train.json").read_text())
    path = tmp_path / "all.json"
    path.write_text(json.dumps(content))
    for by, leaks in (("file_name", True), ("block", False)):
        out = tmp_path / by
        split_set(path, out, by=by, parts=dict(train=3, val=1))
        report = check_data(out, img_dir=str(DATA / "train"), images=False)
        assert ("shared-sequences" in {f.code for f in report.findings}) == leaks


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["same", "symlink", "hard link", "folder"])
def test_the_input_is_never_a_part(ann_file, tmp_path, kind, overwrite) -> None:
    out = tmp_path
    if kind == "folder":
        (out := tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    elif kind != "same":
        out = tmp_path / "out"
        out.mkdir()
        link = (
            (out / "all.json").symlink_to if kind == "symlink" else (out / "all.json").hardlink_to
        )
        link(ann_file)
    before = ann_file.read_bytes()
    with pytest.raises(ValueError, match=r"all\.json' would be written, but is an input: give"):
        split_set(ann_file, out, parts=dict(all=8, val=2), overwrite=overwrite)
    assert ann_file.read_bytes() == before and not (out / "val.json").exists()


def test_files_that_are_there_stay_unless_asked(ann_file, tmp_path) -> None:
    theirs = tmp_path / "val.json"
    theirs.write_text("theirs")
    with pytest.raises(FileExistsError, match=r"1 of the files .*val\.json.*--overwrite"):
        split_set(ann_file, tmp_path)
    assert theirs.read_text() == "theirs" and not (tmp_path / "train.json").exists()
    split_set(ann_file, tmp_path, overwrite=True)
    assert read(tmp_path, "val")["images"]


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "/x", "..", ""])
def test_a_part_is_called_like_a_file(ann_file, tmp_path, name) -> None:
    with pytest.raises(ValueError, match="is no name of a file: give a word without slashes"):
        split_set(ann_file, tmp_path / "out", parts={name: 8, "val": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["all.json"]


def test_a_part_that_is_named_twice_is_said(ann_file, tmp_path, capsys) -> None:
    words = [str(ann_file), str(tmp_path / "out"), "--parts", "train=8", "train=2"]
    assert load_script(ROOT / "tools/split.py").main(words) == 2
    assert capsys.readouterr().err.startswith("error: --parts: 'train' is given twice")


def test_the_tool_says_when_it_keeps_nothing_together(tmp_path, capsys) -> None:
    content = whole(6, 6)
    for names, said in (("a b c d e f", True), ("w0_1 w0_2 w1_1 w1_2 w2_1 w2_2", False)):
        for image, name in zip(content["images"], names.split(), strict=True):
            image["file_name"] = f"{name}.png"
            image.pop("sequence", None)
        (tmp_path / "all.json").write_text(json.dumps(content))
        words = [str(tmp_path / "all.json"), str(tmp_path / f"out_{said}")]
        assert load_script(ROOT / "tools/split.py").main(words) == 0
        text = capsys.readouterr().out
        assert ("warning: nothing was kept together" in text) == said


@pytest.mark.slow
def test_the_tool(ann_file, tmp_path) -> None:
    words = ["--by", "sequence", "--parts", "train=3", "val=1"]
    done = run_tool("split.py", ann_file, "out", *words, cwd=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["part", "train", "val"]
    done = run_tool("split.py", ann_file, "out", *words, "--overwrite", cwd=tmp_path)
    done = run_tool("split.py", ann_file, "out2", "--by", "colour", cwd=tmp_path, ok=False)
    assert done.returncode == 2 and "by='colour'" in done.stderr
