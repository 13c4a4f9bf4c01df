"""Label files and pictures of one name: the folders tell, or nothing is chosen."""

from pathlib import Path

import pytest

from mmthermal.convert.pairs import Pair, pair_files


def paired(labels: str, images: str) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    """Pairs of paths below /train/set, whose own train is no split, as words."""
    root = Path("/train/set")
    found = pair_files([root / w for w in labels.split()], [root / w for w in images.split()])

    def word(path: Path | None) -> str | None:
        return None if path is None else path.relative_to(root).as_posix()

    return [(word(p.label), word(p.image), tuple(str(word(c)) for c in p.choices)) for p in found]


@pytest.mark.parametrize(
    ("label", "images", "taken"),
    [
        ("a.xml", "a.jpg", "a.jpg"),
        ("Annotations/a.xml", "infrared/train/a.jpg", "infrared/train/a.jpg"),
        ("Annotations/a.xml", "JPEGImages/a.jpg SegmentationClass/a.png", "JPEGImages/a.jpg"),
        ("Annotations/s/a.xml", "images/s/a.jpg images/t/a.jpg", "images/s/a.jpg"),
        ("s/annotations/a.xml", "s/images/a.jpg t/images/a.jpg", "s/images/a.jpg"),
        ("images/a.xml", "JPEGImages/a.jpg images/a.png", "images/a.png"),  # beside it
        ("Annotations/train/a.xml", "ir/train/a.jpg ir/valid/a.jpg", "ir/train/a.jpg"),
        ("s/a.xml", "t/a.jpg", "t/a.jpg"),  # the only ones of the name
    ],
)
def test_the_picture_beside_or_parallel_is_taken(label: str, images: str, taken: str) -> None:
    found = paired(label, images)
    assert (label, taken, ()) in found
    rest = sorted(set(images.split()) - {taken})
    assert [image for own, image, _ in found if own is None] == rest


@pytest.mark.parametrize(
    ("labels", "images"),
    [
        ("Annotations/a.xml", "ir/a.jpg visible/a.jpg"),
        ("Annotations/a.xml", "images/train/a.jpg images/val/a.jpg"),
        ("Annotations/a.xml", "JPEGImages/a.jpg JPEGImages/a.png"),
        ("s/a.xml t/a.xml", "images/a.jpg"),
        ("train/s/a.xml train/t/a.xml", "train/u/a.jpg"),
    ],
)
def test_what_nothing_tells_is_left_open(labels: str, images: str) -> None:
    found = paired(labels, images)
    assert found == [(label, None, tuple(images.split())) for label in labels.split()]


def test_a_picture_of_another_split_is_not_taken() -> None:
    assert paired("train/a.xml", "train/a.jpg val/a.jpg") == [
        ("train/a.xml", "train/a.jpg", ()),
        (None, "val/a.jpg", ()),
    ]
    assert paired("train/a.xml", "val/a.jpg") == [
        ("train/a.xml", None, ()),
        (None, "val/a.jpg", ()),
    ]


def test_what_is_left_over_is_not_put_together() -> None:
    """The pairs of the other folders are no hint that these two belong together."""
    found = paired("train/s/a.xml train/t/a.xml", "train/s/a.jpg train/u/a.jpg")
    assert found[0] == ("train/s/a.xml", "train/s/a.jpg", ())
    assert found[1] == ("train/t/a.xml", None, ("train/u/a.jpg",))


def test_names_of_lists_may_have_folders() -> None:
    pair = Pair(Path("Annotations/v1.2_a.xml"), Path("JPEGImages/train/v1.2_a.jpg"))
    assert [pair.fits(name) for name in ("v1.2_a", "train/v1.2_a", "val/v1.2_a", "a")] == [
        True,
        True,
        False,
        False,
    ]


def test_folders_tell_the_split_the_upper_one_first() -> None:
    assert [Pair(folders=f).split for f in (("s", "valid", "test"), ("s",), ())] == [
        "val",
        None,
        None,
    ]
