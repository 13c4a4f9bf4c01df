"""VOC XML as LabelImg and KAIST write it."""

import pytest
from helpers_convert import picture, text, voc

from mmthermal.convert.command import convert
from mmthermal.convert.labels import LeftOut
from mmthermal.convert.voc import read_voc, read_xml


def test_boxes_classes_and_difficult_objects(tmp_path) -> None:
    path = text(tmp_path / "a.xml", voc([("car", 3, 4, 13, 24), (" dog ", 1.5, 2, 9, 8, 1)]))
    image = read_xml(path, tmp_path / "a.png", LeftOut())
    assert [(b.name, b.box, b.crowd) for b in image.labels] == [
        ("car", (3, 4, 10, 20), False),
        ("dog", (1.5, 2, 7.5, 6), True),
    ]


@pytest.mark.parametrize(
    ("word", "crowd"),
    [("1", True), ("true", True), (" Yes ", True), ("0", False), ("False", False), ("", False)],
)
def test_words_for_difficult(tmp_path, word, crowd) -> None:
    path = text(tmp_path / "a.xml", voc([("car", 3, 4, 13, 24, word)]))
    assert read_xml(path, tmp_path / "a.png", LeftOut()).labels[0].crowd is crowd


def test_xml_of_another_format_is_no_picture_without_objects(tmp_path) -> None:
    box = "<image id='0' name='a.png'><box label='car' xtl='1' ytl='2' xbr='30' ybr='40'/></image>"
    dropped = LeftOut()
    cvat = text(tmp_path / "a.xml", f"<annotations>{box}</annotations>")
    assert read_xml(cvat, tmp_path / "a.png", dropped) is None
    reason = "XML file that is no VOC annotation, its root is <annotations>: export Pascal VOC"
    assert dropped.examples == {reason: str(cvat)}
    picture(tmp_path / "a.png")
    with pytest.raises(
        ValueError, match=r"no image is left \(1 × left out: XML file that is no VOC"
    ):
        convert("voc", tmp_path, tmp_path / "out")
    for root, objects in (("annotation", 0), ("Annotation", 0), ("data", 1)):  # background; usable
        content = voc([("car", 3, 4, 13, 24)] * objects).replace("annotation>", f"{root}>")
        image = read_xml(text(tmp_path / "b.xml", content), tmp_path / "b.png", LeftOut())
        assert len(image.labels) == objects


def test_kaists_form_of_a_box(tmp_path) -> None:
    content = (
        "<annotation><object><name>person</name><bndbox><x>476</x><y>224</y><w>18</w><h>44</h>"
    )
    path = text(tmp_path / "a.xml", content + "</bndbox></object></annotation>")
    assert read_xml(path, tmp_path / "a.png", LeftOut()).labels[0].box == (476, 224, 18, 44)


def test_what_can_not_be_read_is_counted(tmp_path) -> None:
    dropped = LeftOut()
    assert read_xml(text(tmp_path / "a.xml", "<annotation>"), tmp_path / "a.png", dropped) is None
    bad = "<object><name>car</name></object><object><name>car</name><bndbox><xmin>x</xmin></bndbox>"
    path = text(tmp_path / "b.xml", f"<annotation>{bad}</object></annotation>")
    assert read_xml(path, tmp_path / "b.png", dropped).labels == ()
    assert dropped == {"label file that is not XML": 1, "object without a name or a box": 2}
    assert dropped.examples == {
        "label file that is not XML": str(tmp_path / "a.xml"),
        "object without a name or a box": str(path),
    }


def test_splits_of_imagesets(tmp_path) -> None:
    for name in ("a", "b", "c", "d"):
        picture(tmp_path / "JPEGImages" / f"{name}.png")
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("car", 3, 4, 13, 24)]))
    (tmp_path / "Annotations" / "b.xml").unlink()
    for split, names in (("train", "a\nb\n"), ("val", "c\nz\n"), ("trainval", "a\nb\nc\n")):
        text(tmp_path / "ImageSets" / "Main" / f"{split}.txt", names)
    train, val = read_voc(tmp_path)
    assert [image.path.name for image in train.images] == ["a.png"]
    assert train.dropped == {"image without a label file": 1}
    assert [image.path.name for image in val.images] == ["c.png"]
    assert val.dropped == {"label file without an image": 1, "label file that is in no list": 1}
    assert train.dropped.examples["image without a label file"].endswith("JPEGImages/b.png")
    assert val.dropped.examples["label file without an image"] == "z"  # it is in the list only
    assert val.dropped.examples["label file that is in no list"].endswith("Annotations/d.xml")


def test_lists_of_a_class_are_no_splits(tmp_path) -> None:
    """VOC's own Main has them for each class: a name, and whether the class is in the image."""
    for name in ("a", "b"):
        picture(tmp_path / "JPEGImages" / f"{name}.png")
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("car", 3, 4, 13, 24)]))
    main = tmp_path / "ImageSets" / "Main"
    for name, lines in (
        ("train", "a\n"),
        ("val", "b\n"),
        ("car_train", "a  1\n"),
        ("car_val", "b -1\n"),
    ):
        text(main / f"{name}.txt", lines)
    assert [labels.split for labels in read_voc(tmp_path)] == ["train", "val"]


def test_a_byte_order_mark_hides_nothing(tmp_path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / "JPEGImages" / f"{name}.png")
        text(tmp_path / "Annotations" / f"{name}.xml", "\ufeff" + voc([("car", 3, 4, 13, 24)]))
    main = tmp_path / "ImageSets" / "Main"
    for name, lines in (("train", "a\nb\n"), ("car_train", "a 1\nb -1\n")):
        text(main / f"{name}.txt", "\ufeff" + lines)
    (train,) = read_voc(tmp_path)
    assert [len(image.labels) for image in train.images] == [1, 1]
    assert train.dropped == {}


def test_xml_beside_the_images_and_no_split(tmp_path) -> None:
    picture(tmp_path / "a.jpg")
    text(tmp_path / "a.xml", voc([("car", 3, 4, 13, 24)]))
    (labels,) = read_voc(tmp_path)
    assert labels.split == "all" and len(labels.images) == 1


def test_folders_of_images_are_splits(tmp_path) -> None:
    for split, name in (("test", "a"), ("train", "b")):
        picture(tmp_path / "images" / split / f"{name}.png")
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("car", 3, 4, 13, 24)]))
    assert [labels.split for labels in read_voc(tmp_path)] == ["train", "test"]


def test_folders_above_the_images_are_splits_too(tmp_path) -> None:
    for split in ("train", "valid", "extra"):
        picture(tmp_path / split / "images" / f"{split}.png")
        text(tmp_path / split / "annotations" / f"{split}.xml", voc([("car", 3, 4, 13, 24)]))
    sets = read_voc(tmp_path)
    assert [labels.split for labels in sets] == ["train", "val", "extra"]
    assert [len(labels.images) for labels in sets] == [1, 1, 1]


def test_the_masks_of_voc_are_no_pictures(tmp_path) -> None:
    picture(tmp_path / "JPEGImages" / "a.jpg")
    for name in ("SegmentationClass", "SegmentationObject"):
        picture(tmp_path / name / "a.png")
    text(tmp_path / "Annotations" / "a.xml", voc([("car", 3, 4, 13, 24)]))
    text(tmp_path / "ImageSets" / "Main" / "train.txt", "a\n")
    (labels,) = read_voc(tmp_path)
    assert [image.path for image in labels.images] == [tmp_path / "JPEGImages" / "a.jpg"]
    assert labels.dropped == {"image outside of JPEGImages": 2}
    mask = str(tmp_path / "SegmentationClass" / "a.png")
    assert labels.dropped.examples == {"image outside of JPEGImages": mask}


def test_pictures_of_one_name_in_two_splits(tmp_path) -> None:
    for split in ("train", "val"):
        picture(tmp_path / split / "0001.jpg")
    text(tmp_path / "train" / "0001.xml", voc([("car", 3, 4, 13, 24)]))
    train, val = read_voc(tmp_path)
    assert [image.path for image in train.images] == [tmp_path / "train" / "0001.jpg"]
    assert (val.images, val.dropped) == ([], {"image without a label file": 1})
    text(tmp_path / "val" / "0001.xml", voc([("bus", 3, 4, 13, 24)]))
    names = [labels.images[0].labels[0].name for labels in read_voc(tmp_path)]
    assert names == ["car", "bus"]


def test_a_picture_that_is_not_certain_is_left_out(tmp_path) -> None:
    for name in ("ir/a.png", "vis/a.png", "ir/b.png"):
        picture(tmp_path / name)
    for name in ("a", "b"):
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("car", 3, 4, 13, 24)]))
    (labels,) = read_voc(tmp_path)
    assert [image.path.name for image in labels.images] == ["b.png"]
    reason = "label file whose picture is not certain: its name is there more than once"
    assert labels.dropped == {reason: 1}
    xml, ir, vis = (tmp_path / name for name in ("Annotations/a.xml", "ir/a.png", "vis/a.png"))
    assert labels.dropped.examples == {reason: f"{xml}: {ir}, {vis}"}


def test_a_name_in_a_list_that_several_files_have(tmp_path) -> None:
    for name in ("s/a", "t/a", "t/b", "u/c"):
        picture(tmp_path / "images" / f"{name}.png")
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("car", 3, 4, 13, 24)]))
    (tmp_path / "Annotations" / "u" / "c.xml").unlink()
    file = text(tmp_path / "l.txt", "a\ns/a\nimages/t/a.png\nelse/b\n")
    (labels,) = read_voc(tmp_path, {"mine": file})
    places = [image.path.relative_to(tmp_path / "images").as_posix() for image in labels.images]
    assert places == ["s/a.png", "t/a.png", "t/b.png"]
    assert labels.dropped == {
        "name in a list that several files have": 1,
        "image that is in no list": 1,
    }
    assert labels.dropped.examples == {
        "name in a list that several files have": f"{file}: a",
        "image that is in no list": str(tmp_path / "images" / "u" / "c.png"),
    }


def test_a_name_in_a_list_is_that_of_the_picture_with_labels(tmp_path) -> None:
    """Masks of the same name have none; a picture in a folder of another split may be meant."""
    for name in ("images/a", "masks/a", "images/train/b", "images/val/b"):
        picture(tmp_path / f"{name}.png")
    for name in ("a", "train/b"):
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("car", 3, 4, 13, 24)]))
    (labels,) = read_voc(tmp_path, {"mine": text(tmp_path / "l.txt", "a\nb\n")})
    assert [image.path for image in labels.images] == [tmp_path / "images" / "a.png"]
    assert labels.dropped == {
        "image that is in no list": 1,
        "name in a list that several files have": 1,
    }


def test_names_with_blanks_in_lists_and_lists_of_a_class(tmp_path) -> None:
    for name in ("my a", "my b"):
        picture(tmp_path / "JPEGImages" / f"{name}.png")
        text(tmp_path / "Annotations" / f"{name}.xml", voc([("car", 3, 4, 13, 24)]))
    main = tmp_path / "ImageSets" / "Main"
    for name, lines in (("train", "my a\nmy b\n"), ("car_train", "my a  1\nmy b -1\n")):
        text(main / f"{name}.txt", lines)
    (train,) = read_voc(tmp_path)
    assert (train.split, len(train.images), train.dropped) == ("train", 2, {})


@pytest.mark.parametrize("encoding", ["gb2312", "no-such-code"])
def test_an_encoding_that_can_not_be_read_is_counted(tmp_path, encoding) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    bad = text(tmp_path / "a.xml", f"<?xml version='1.0' encoding='{encoding}'?>" + voc([]))
    text(tmp_path / "b.xml", voc([("car", 3, 4, 13, 24)]))
    (labels,) = read_voc(tmp_path)
    assert [image.path.name for image in labels.images] == ["b.png"]
    reason = "label file in an encoding that can't be read: save it in UTF-8"
    assert labels.dropped == {reason: 1}
    assert labels.dropped.examples == {reason: str(bad)}


def test_a_folder_without_labels_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="no XML file"):
        read_voc(tmp_path)


def sized(width: object, height: object) -> str:
    """A VOC file that names another size."""
    given = "<width>64</width><height>48</height>"
    content = voc([("car", 3, 4, 13, 24)])
    assert given in content
    return content.replace(given, f"<width>{width}</width><height>{height}</height>")


def test_boxes_drawn_in_another_resolution_are_left_out(tmp_path) -> None:
    for name in "abc":
        picture(tmp_path / "JPEGImages" / f"{name}.png")
        text(tmp_path / "Annotations" / f"{name}.xml", sized(640, 480))
    reason = (
        "label file whose <size> is not its picture's: give the pictures that the boxes were drawn "
        "in, scale the boxes, or correct <size>"
    )
    first = f"{tmp_path / 'Annotations/a.xml'}: 640 × 480, its picture is 64 × 48"
    with pytest.raises(ValueError, match=r"no image is left \(3 × left out: label file") as error:
        convert("voc", tmp_path, tmp_path / "out")
    assert f"{reason} (first: {first})" in str(error.value)
    text(tmp_path / "Annotations" / "b.xml", sized(64, 48))
    (labels,) = read_voc(tmp_path)
    assert [(image.path.name, image.size) for image in labels.images] == [("b.png", (64, 48))]
    assert labels.dropped == {reason: 2} and labels.dropped.examples == {reason: first}


@pytest.mark.parametrize(
    ("width", "height"),
    [(0, 0), (0, 480), ("", ""), ("x", 48), ("64.0", "48.0"), (48, 64), (65, 47), ("inf", 3)],
)
def test_sizes_that_tell_nothing_or_fit(tmp_path, width, height) -> None:
    """Sides are swapped by EXIF's orientation; of one pixel the loader speaks."""
    path = text(tmp_path / "a.xml", sized(width, height))
    dropped = LeftOut()
    image = read_xml(path, picture(tmp_path / "a.png"), dropped)
    assert len(image.labels) == 1 and dropped == {}
    without = text(tmp_path / "a.xml", sized(1, 1).replace("size>", "other>"))
    assert read_xml(without, tmp_path / "a.png", dropped).size == (64, 48) and dropped == {}


def test_the_folder_of_pictures_may_be_a_link(tmp_path) -> None:
    picture(tmp_path / "disk" / "a.png")
    text(tmp_path / "far" / "a.xml", voc([("car", 3, 4, 13, 24)]))
    root = tmp_path / "set"
    (root / "Annotations").mkdir(parents=True)
    (root / "Annotations" / "more").symlink_to(tmp_path / "far")
    (root / "JPEGImages").symlink_to(tmp_path / "disk")
    (labels,) = read_voc(root)
    assert [image.path for image in labels.images] == [root / "JPEGImages" / "a.png"]
