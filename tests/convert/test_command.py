"""The conversion as a whole: files that mmdet reads, counts, images in place or copied."""

import json
import shlex

import pytest
from helpers_convert import picture, text, voc
from helpers_data import ROOT, run_tool
from helpers_source import load_script
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


def test_a_crowd_region_is_counted_once(root, tmp_path) -> None:
    for name in ("a", "b", "c"):
        boxes = [("person", 3, 4, 13, 24), ("dog", 30, 4, 50, 24), ("cat", 3, 4, 13, 24)]
        text(root / "Annotations" / f"{name}.xml", voc(boxes))
    train, _ = convert("llvip", root, tmp_path / "out", classes=Classes(ignore=("cat",)))
    content = json.loads(train.path.read_text())
    assert (train.crowd, sum(a["iscrowd"] for a in content["annotations"])) == (2, 4)
    assert train.objects == {"dog": 2, "person": 2}


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
    why = r"no image is left \(2 × left out: image that can't be read \(first: .*/a.png\); 1 × "
    with pytest.raises(ValueError, match=why):
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
    place = root / "Annotations/a.xml"
    assert f"  2 × left out: box without area (first: {place})\n" in lines
    assert "num_classes=2" in lines and "../set" in lines


def test_the_command_to_go_on_with_can_be_pasted(root, tmp_path) -> None:
    out = tmp_path / "out $x" / "ü 1"
    command = to_text(convert("llvip", root, out), root, out, False).splitlines()[-1]
    assert shlex.split(command)[-3:] == [str(out), "--img-dir", "../../set"]


def test_files_that_are_there_stay_unless_asked(root, tmp_path) -> None:
    out = tmp_path / "out"
    theirs = text(out / "test.json", "theirs")
    with pytest.raises(FileExistsError, match=r"1 of the files .*test\.json.*--overwrite"):
        convert("llvip", root, out, copy=True)
    assert [path.name for path in out.iterdir()] == ["test.json"]
    assert theirs.read_text() == "theirs"
    for _ in range(2):
        convert("llvip", root, out, copy=True, overwrite=True)
    assert json.loads(theirs.read_text())["images"]
    with pytest.raises(FileExistsError, match="5 of the files"):
        convert("llvip", root, out, copy=True)
    with pytest.raises(NotADirectoryError, match=r"test\.json' is a file: give a folder"):
        convert("llvip", root, theirs)


def test_what_is_read_is_never_written_over(root, tmp_path) -> None:
    (out := tmp_path / "out").mkdir()
    (out / "images").symlink_to(root, target_is_directory=True)
    with pytest.raises(ValueError, match=r"a\.png' would be written, but is an input"):
        convert("llvip", root, out, copy=True, overwrite=True)
    labels = dict(images=[dict(id=1, file_name="a.png", width=64, height=48)], categories=[])
    folder = tmp_path / "hit"
    file = text(folder / "annotations" / "train.json", json.dumps(labels))
    picture(folder / "train" / "a.png")
    with pytest.raises(ValueError, match=r"train\.json' would be written, but is an input"):
        convert("hituav", folder, folder / "annotations", overwrite=True)
    assert json.loads(file.read_text()) == labels


def test_a_picture_outside_the_folder_stops_the_copy_before_it_begins(tmp_path) -> None:
    for name, place in (("train", tmp_path / "set"), ("val", tmp_path / "other")):
        picture(place / name / "a.png")
        text(place / name / "a.txt", "0 0.5 0.5 0.25 0.5")
    text(tmp_path / "set/data.yaml", f"train: train\nval: {tmp_path}/other/val\nnames: [car]\n")
    with pytest.raises(ValueError, match="lies outside"):
        convert("yolo", tmp_path / "set", tmp_path / "out", copy=True)
    assert not (tmp_path / "out").exists()


def test_the_name_of_a_list_is_that_of_a_file(root, tmp_path) -> None:
    with pytest.raises(ValueError, match=r"lists: '\.\./x' is no name of a file"):
        convert("voc", root, tmp_path / "out", lists={"../x": "l.txt"})


def test_names_given_twice_are_refused(root, tmp_path, capsys) -> None:
    for option in ("--rename", "--lists"):
        words = ["voc", str(root), str(tmp_path / "out"), option, "a=b", "a=c"]
        assert load_script(ROOT / "tools/convert.py").main(words) == 2
        assert capsys.readouterr().err.startswith(f"error: {option}: 'a' is given twice")


@pytest.mark.slow
def test_the_tool(root, tmp_path) -> None:
    words = ["--classes", "human", "--rename", "person=human", "--copy"]
    done = run_tool("convert.py", "llvip", root, "out", *words, cwd=tmp_path)
    assert "which is not asked for" in done.stdout
    content = json.loads((tmp_path / "out" / "train.json").read_text())
    assert content["categories"] == [dict(id=1, name="human")]
    done = run_tool("convert.py", "kaist", root, "out", cwd=tmp_path, ok=False)
    assert done.returncode == 2 and done.stderr.startswith("error: ")
