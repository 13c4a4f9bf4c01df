"""Hard negatives and exclusions of another training set are refused, those of the same are not."""

import pytest

from mmthermal.common.checks import InputError
from mmthermal.mining.region_file import Region, RegionFile
from mmthermal.mining.same_set import check_excluded, check_same_set, images_of

PATHS = {1: "/data/set/train/a/0.png", 2: "/data/set/train/b/0.png", 3: "/data/set/train/b/1.png"}
IMAGES = {i: dict(file_name=path, width=96, height=64) for i, path in PATHS.items()}


def mined(names, ids=(1, 2, 3), regions=(1,), **changes):
    records = tuple(
        dict(dict(id=i, file_name=name, width=96, height=64), **changes)
        for i, name in zip(ids, names, strict=True)
    )
    found = tuple(Region(i, (2.0, 2.0, 9.0, 9.0), 1, 0.5, 1.0, 0, 0) for i in regions)
    return RegionFile(found, records, (), dict(round=0))


@pytest.mark.parametrize(
    "names",
    [
        ("a/0.png", "b/0.png", "b/1.png"),  # relative to the folder of the images
        ("set/train/a/0.png", "set/train/b/0.png", "set/train/b/1.png"),
        ("0.png", "../b/0.png", "../b/1.png"),  # of two joined sets
        tuple(PATHS.values()),
        ("/home/me/set/train/a/0.png", "/home/me/set/train/b/0.png", "/home/me/set/train/b/1.png"),
        ("images\\a\\0.png", "images\\b\\0.png", "images\\b\\1.png"),
        ("frames/a/0.tiff", "frames/b/0.tiff", "frames/b/1.tiff"),  # another folder and format
    ],
)
def test_the_same_images_in_whatever_folder(names) -> None:
    check_same_set(mined(names), IMAGES, "file='r.json'")


def test_a_set_that_was_cut_and_old_files_without_names() -> None:
    check_same_set(mined(("a/0.png", "c/8.png"), ids=(1, 9), regions=(9, 1)), IMAGES, "r.json")
    bare = RegionFile(mined(("x",), ids=(1,)).regions, (dict(id=1), dict(id=9)), (), {})
    check_same_set(bare, IMAGES, "the checkpoint")
    check_same_set(RegionFile((), (), (), {}), IMAGES, "r.json")


@pytest.mark.parametrize(
    "names",
    [
        ("night/other_0.png", "night/other_1.png", "night/other_2.png"),
        ("a/0.png", "b/1.png", "b/0.png"),
        ("b/0.png", "b/1.png", "c/0.png"),  # one image more in front
        ("b/0.png", "a/0.png", "b/1.png"),
        ("x/a/0.png", "x/b/0.png", "y/b/1.png"),
    ],
)
def test_other_names_of_the_ids(names) -> None:
    with pytest.raises(InputError, match=r"^file='r.json' is of another data set: its image \d is"):
        check_same_set(mined(names), IMAGES, "file='r.json'")


def test_the_error_names_both_images() -> None:
    content = mined(("night/other_0.png",), ids=(2,), regions=(2,), width=640, height=512)
    with pytest.raises(InputError) as error:
        check_same_set(content, IMAGES, "--previous r.json")
    assert "its image 2 is night/other_0.png (640 × 512)" in str(error.value)
    assert "of the training set /data/set/train/b/0.png (96 × 64)" in str(error.value)


def test_another_size_of_the_same_name() -> None:
    with pytest.raises(InputError, match="96 × 65"):
        check_same_set(mined(("a/0.png",), ids=(1,), height=65), IMAGES, "r.json")
    check_same_set(mined(("a/0.png",), ids=(1,), height=64.0), IMAGES, "r.json")
    check_same_set(mined(("a/0.png",), ids=(1,), height=None), IMAGES, "r.json")


@pytest.mark.parametrize("ids", [("1", "2"), (8, 9)])
def test_no_region_in_any_image(ids) -> None:
    with pytest.raises(InputError, match="none of its 2 regions is in an image") as error:
        check_same_set(mined(("0.png", "1.png"), ids=ids, regions=ids), IMAGES, "r.json")
    assert f"{ids[0]!r}, {ids[1]!r}, the training set has 1, 2, 3" in str(error.value)


def test_excluded_ids_that_are_not_there() -> None:
    check_excluded({}, IMAGES, "exclude='x.json'")
    check_excluded({1: None, 3: None}, IMAGES, "exclude='x.json'")
    with pytest.raises(InputError, match="^exclude='x.json': 2 of its 3 image ids") as error:
        check_excluded({"2": None, 3: None, 999: None}, IMAGES, "exclude='x.json'")
    assert "'2', 999" in str(error.value)


def test_images_of_a_data_set_that_repeats_them() -> None:
    class Samples(list):
        get_data_info = list.__getitem__

    rows = [dict(img_id=i, img_path=p, width=96, height=64) for i, p in PATHS.items()]
    assert images_of(Samples(rows * 2)) == IMAGES
    assert images_of(Samples([dict(img_id=1, img_path="0.png")]))[1]["width"] is None
