"""The conversion as a whole: files that mmdet reads, counts, images in place or copied."""

import json

import pytest
from helpers_convert import picture, text, voc
from helpers_data import run_tool
from mmdet.datasets import CocoDataset

from mmthermal.convert.command import FORMATS, convert, to_text
from mmthermal.convert.to_coco import Classes


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "set"
    for split, name in (("train", "a"), ("train", "b"), ("test", "c")):
        picture(folder / "infrared" / split / f"{name}.png")
        boxes = [("person", 3, 4, 13, 24), ("person", 9, 9, 9, 30), ("dog", 30, 4, 50, 24)]
        text(folder / "Annotations" / f"{name}.xml", voc(boxes))
    return folder


def test_mmdet_reads_what_is_written(root, tmp_path) -> None:
    train, test = convert("llvip", root, tmp_path / "out")
    assert (train.split, train.images, train.objects, train.crowd) == (
        "train",
        2,
        {"dog": 2, "person": 2},
        0,
    )
    assert train.counts == {"box without area": 2}
    data = CocoDataset(
        ann_file=str(test.path),
        data_prefix=dict(img=str(root)),
        metainfo=dict(classes=("dog", "person")),
        test_mode=True,
        pipeline=[],
    )
    info = data.get_data_info(0)
    assert info["img_path"] == str(root / "infrared/test/c.png")
    assert [(i["bbox"], i["bbox_label"]) for i in info["instances"]] == [
        ([3, 4, 13, 24], 1),
        ([30, 4, 50, 24], 0),
    ]


def test_images_stay_or_are_copied(root, tmp_path) -> None:
    convert("llvip", root, tmp_path / "stay")
    assert sorted(p.name for p in (tmp_path / "stay").iterdir()) == ["test.json", "train.json"]
    convert("llvip", root, tmp_path / "copy", copy=True)
    there = tmp_path / "copy" / "images" / "infrared" / "train" / "a.png"
    assert there.read_bytes() == (root / "infrared/train/a.png").read_bytes()


def test_the_same_folder_gives_the_same_files(root, tmp_path) -> None:
    for out in ("one", "two"):
        convert("llvip", root, tmp_path / out)
    assert (tmp_path / "one/train.json").read_bytes() == (tmp_path / "two/train.json").read_bytes()


def test_a_failed_conversion_leaves_no_file(root, tmp_path) -> None:
    with pytest.raises(ValueError, match="'bus'"):
        convert("llvip", root, tmp_path / "out", classes=Classes(("bus",)))
    for path in root.glob("infrared/*/*.png"):
        path.write_text("no picture")
    with pytest.raises(ValueError, match="no image is left.*2 × image that can't be read|no image"):
        convert("llvip", root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_settings_that_a_format_does_not_have_are_refused(root, tmp_path) -> None:
    with pytest.raises(ValueError, match="bits are for"):
        convert("llvip", root, tmp_path, bits=16)
    with pytest.raises(ValueError, match="lists are for"):
        convert("llvip", root, tmp_path, lists={"train": "a.txt"})
    with pytest.raises(ValueError, match="format='csv'"):
        convert("csv", root, tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        convert("voc", root / "nowhere", tmp_path)


def test_every_format_says_what_it_misses_in_an_empty_folder(tmp_path) -> None:
    for kind in FORMATS:
        with pytest.raises(FileNotFoundError):
            convert(kind, tmp_path, tmp_path / "out")


def test_the_text_counts_and_names_the_settings(root, tmp_path) -> None:
    out = tmp_path / "out"
    lines = to_text(convert("llvip", root, out), root, out, False)
    assert "2 images, 4 objects (dog 2, person 2), 0 crowd" in lines
    assert "  2 × left out: box without area" in lines
    assert "num_classes=2" in lines and "../set" in lines


@pytest.mark.slow
def test_the_tool(root, tmp_path) -> None:
    words = ["--classes", "human", "--rename", "person=human", "--copy"]
    done = run_tool("convert.py", "llvip", root, "out", *words, cwd=tmp_path)
    assert "which is not asked for" in done.stdout
    content = json.loads((tmp_path / "out" / "train.json").read_text())
    assert content["categories"] == [dict(id=1, name="human")]
    done = run_tool("convert.py", "kaist", root, "out", cwd=tmp_path, ok=False)
    assert done.returncode == 2 and done.stderr.startswith("error: ")
