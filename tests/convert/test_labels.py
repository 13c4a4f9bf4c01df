"""Reading of lists, sizes and COCO's two spellings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_convert import picture, text
from PIL import Image

from mmthermal.common.files import IMAGE_SUFFIXES
from mmthermal.convert.labels import (
    LeftOut,
    image_files,
    image_size,
    labels_of_coco,
    need_folder,
    read_list,
)


def test_sizes_come_from_the_head_of_a_file(tmp_path) -> None:
    assert image_size(picture(tmp_path / "a.png")) == (64, 48)
    np.save(tmp_path / "a.npy", np.zeros((48, 64), np.uint16))
    assert image_size(tmp_path / "a.npy") == (64, 48)
    for ending in set(IMAGE_SUFFIXES) - {".npy"}:
        assert image_size(picture(tmp_path / f"b{ending}")) == (64, 48)
    with pytest.raises(OSError):
        image_size(text(tmp_path / "b.png", "no picture"))


@pytest.mark.parametrize("ending", [".jpg", ".tiff", ".png"])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 7, 8])
def test_sizes_are_those_of_the_upright_picture(tmp_path, ending, orientation) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("L", (64, 48)).save(tmp_path / f"a{ending}", exif=exif)
    assert image_size(tmp_path / f"a{ending}") == ((48, 64) if orientation >= 5 else (64, 48))


def test_images_are_found_below_a_folder(tmp_path) -> None:
    for name in ("b/2.JPG", "a/1.png", "a/note.txt", "a/._1.png"):
        text(tmp_path / name, "")
    assert [path.name for path in image_files(tmp_path)] == ["1.png", "2.JPG"]


def test_lists_with_and_without_endings(tmp_path) -> None:
    path = text(tmp_path / "l.txt", "a.jpg\n\nset00/V000/I00001 1\nv1.2_b\n")
    assert read_list(path) == ["a", "set00/V000/I00001", "v1.2_b"]
    with pytest.raises(FileNotFoundError, match="check the path"):
        read_list(tmp_path / "no.txt")
    with pytest.raises(FileNotFoundError, match="LLVIP: the folder"):
        need_folder(tmp_path / "no", "LLVIP")


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("my a.jpg\nmy b 2.JPG\n", ["my a", "my b 2"]),
        ("my a\nmy b\n", ["my a", "my b"]),
        ("img 1\nimg 2\n", ["img 1", "img 2"]),  # 2 is no flag: the numbers are of the names
        ("a  1\nb -1\nc 0\n", ["a", "b", "c"]),
        ("my a  1\nmy b -1\n", ["my a", "my b"]),
        ("a.jpg 3,4,13,24\nJPEGImages/b.png Annotations/b.xml\n", ["a", "JPEGImages/b"]),
    ],
)
def test_names_of_a_list_may_have_blanks(tmp_path, lines, names) -> None:
    assert read_list(text(tmp_path / "l.txt", lines)) == names


def test_text_files_may_begin_with_a_byte_order_mark_and_must_be_utf_8(tmp_path) -> None:
    path = text(tmp_path / "l.txt", "\ufeffa.jpg\nö.jpg\n")
    assert read_list(path) == ["a", "ö"]
    path.write_bytes("ö.jpg".encode("latin-1"))
    with pytest.raises(ValueError, match=r"l\.txt' is no text in UTF-8: save it"):
        read_list(path)


def test_the_first_example_of_a_reason_is_kept() -> None:
    one = LeftOut()
    one.note("small", "a.txt")
    one.note("small", "b.txt", 2)
    other = LeftOut(one)
    other.note("large", "c.txt")
    assert one == {"small": 3}
    assert other == {"small": 3, "large": 1}
    assert other.examples == {"small": "a.txt", "large": "c.txt"}


def test_both_spellings_of_coco(tmp_path) -> None:
    image = dict(id="x", width=64, height=48, extra_info=dict(video_id="v7"))
    boxes = [
        dict(id=0, image_id="x", category_id=0, bbox=[1, 2, 3, 4]),
        dict(id=1, image_id="x", category_id=0, bbox=[1, 2, 3, 4], iscrowd=1),
        dict(id=2, image_id="x", category_id=5, bbox=[1, 2, 3, 4]),
        dict(id=3, image_id="y", category_id=0, bbox=[1, 2, 3, 4]),
    ]
    classes = [dict(id=0, name="Person")]
    coco = dict(images=[{**image, "file_name": "a.png"}], annotations=boxes, categories=classes)
    other = dict(images=[{**image, "filename": "a.png"}], annotation=boxes, category=classes)
    for content in (coco, other):
        labels = labels_of_coco(
            content, tmp_path, "train", file=tmp_path / "c.json", sequence_key="video_id"
        )
        assert labels.names == ("Person",)
        assert (labels.images[0].path, labels.images[0].sequence) == (tmp_path / "a.png", "v7")
        assert [(b.box, b.crowd) for b in labels.images[0].labels] == [
            ((1, 2, 3, 4), False),
            ((1, 2, 3, 4), True),
        ]
        assert labels.dropped == {
            "box of a class that is not listed": 1,
            "box of an image that is not listed": 1,
        }
        assert labels.dropped.examples == {
            "box of a class that is not listed": f"{tmp_path / 'c.json'}, annotation 2",
            "box of an image that is not listed": f"{tmp_path / 'c.json'}, annotation 3",
        }
        assert labels.files == [tmp_path / "c.json"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (dict(categories=[], annotations=[]), "it lacks 'images'"),
        (dict(images=[dict(id=1, file_name="a.png", width=4)], categories=[]), "it lacks 'height'"),
        ([], "list"),
        (dict(images=[dict(id=1, file_name="a", width="x", height=2)]), "'x'"),
    ],
)
def test_what_is_no_coco_file_is_named(content: Any, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^'coco\.json' is no COCO file of boxes: .*{words}"):
        labels_of_coco(content, Path("there"), "train", file=Path("coco.json"))


def test_what_a_coco_file_ignores_becomes_a_crowd_region(tmp_path) -> None:
    boxes = [dict(image_id=1, category_id=0, bbox=[1, 2, 3, 4], ignore=i) for i in (0, 1)]
    content = dict(
        images=[dict(id=1, file_name="a.png", width=64, height=48)],
        annotations=boxes,
        categories=[dict(id=0, name="Person")],
    )
    labels = labels_of_coco(content, tmp_path, "train", file=tmp_path / "c.json")
    assert [label.crowd for label in labels.images[0].labels] == [False, True]


@pytest.mark.parametrize("content", [np.arange(5.0), np.float32(3), np.zeros((1, 2, 3, 4)), None])
def test_arrays_that_are_no_images_have_no_size(tmp_path, content) -> None:
    path = text(tmp_path / "a.npy", "no array")
    if content is not None:
        np.save(path, content)
    with pytest.raises(OSError, match=r"a\.npy"):
        image_size(path)


def test_images_behind_links_are_found(tmp_path) -> None:
    picture(tmp_path / "disk" / "1.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "night").symlink_to(tmp_path / "disk")
    assert image_files(tmp_path / "set") == [tmp_path / "set" / "night" / "1.png"]
