"""Findings about several splits."""

import numpy as np
import pytest
from helpers_checking import clean, codes

from mmthermal.checking.hashing import perceptual_hash, thumbnail
from mmthermal.checking.image_facts import ImageFacts
from mmthermal.checking.splits import (
    check_classes,
    check_near_copies,
    check_sequences,
    sequence_key,
    sequence_of_name,
    sequences,
)
from mmthermal.checking.table import make_table


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("set00/V001/lwir/I00012.jpg", "set00/V001/lwir"),
        ("1_60_30_0_00012.png", "1_60_30_0"),
        ("video-abc-frame-000012-xyz.jpg", "video-abc-frame-000012-xyz"),
        ("vid00161_YrRitw9Q_00012.png", "vid00161_YrRitw9Q"),
        ("00012.png", ""),
        ("FLIR_00012.jpeg", "FLIR"),
        ("a\\b\\7.png", "a/b"),
        ("images/train/walk0_0001.png", "images/walk0"),
        ("Valid/walk0_0002.png", "walk0"),
        ("train/walk0_0003_jpg.rf.0cc175b9c0f1b6a831c399e269772661.jpg", "walk0"),
        ("walk0_0003_PNG.rf.aZ3kQ9.jpg", "walk0"),
        ("walk0_0003.rf.92eb5ffee6ae2fec3ad71c777531578f.jpg", "walk0"),
    ],
)
def test_the_sequence_in_a_file_name(name, expected) -> None:
    assert sequence_of_name(name) == expected


def test_a_field_of_the_records_goes_before_the_name() -> None:
    images = [
        dict(file_name=f"{i}.png", block=i // 2, extra_info=dict(video_id="v")) for i in range(4)
    ]
    assert sequence_key(images) == "block"
    assert sequences(images, "block") == ["0", "0", "1", "1"]
    for image in images:
        del image["block"]
    assert sequence_key(images) == "video_id"
    assert sequences(images, "video_id") == ["v"] * 4
    assert sequence_key([dict(file_name="a_1.png")]) == ""
    assert sequences([dict(file_name="a_1.png")], "") == ["a"]


def test_shared_sequences_are_counted() -> None:
    train = [dict(file_name=f"{i}.png", block=i % 3) for i in range(9)]
    val = [dict(file_name=f"v{i}.png", block=2 + i % 3) for i in range(6)]
    (finding,) = check_sequences({"train": train, "val": val})
    assert (finding.code, finding.count, finding.total) == ("shared-sequences", 2, 6)
    assert finding.examples == ("2",)
    assert check_sequences({"train": train, "val": [dict(file_name="a", block=9)]}) == []
    assert check_sequences({"train": [dict(file_name="a_1")], "val": [dict(file_name="a_2")]}) == []


def video_frames(start, stop):
    return [dict(file_name=f"{i}.png", video_id=i // 2) for i in range(2 * start, 2 * stop)]


@pytest.mark.parametrize("start", [0, 1])
def test_numbers_from_the_same_start_in_both_files_are_a_note(start) -> None:
    """CocoVID files count their videos each for itself."""
    train, val = video_frames(start, 9), video_frames(start, 4)
    (finding,) = check_sequences({"train": train, "val": val})
    assert (finding.severity, finding.code) == ("note", "shared-sequences")
    assert (finding.count, finding.total) == (len(val), len(val))
    assert f"numbers from {start} on" in finding.message
    assert finding.remedy.startswith("nothing, where each file numbers its own")


@pytest.mark.parametrize(
    "val",
    [
        video_frames(3, 6),  # from another number on
        [*video_frames(0, 2), *video_frames(5, 6)],  # with a gap
        [dict(file_name=f"{i}.png", video_id=str(i)) for i in range(2)],
        [dict(file_name=f"{i}.png", video_id=bool(i)) for i in range(2)],
    ],
)
def test_other_numbers_and_names_are_a_warning(val) -> None:
    train = video_frames(0, 9) + [dict(file_name="b.png", video_id=True)] * any(
        image["video_id"] is True for image in val
    )
    (finding,) = check_sequences({"train": train, "val": val})
    assert finding.severity == "warning" and "neighbours" in finding.message


def test_names_of_videos_are_compared_where_files_list_them() -> None:
    images = {"train": video_frames(0, 3), "val": video_frames(0, 2)}

    def videos(*names):
        return [dict(id=i, name=name) for i, name in enumerate(names)]

    train = videos("a", "b", "c")
    assert check_sequences(images, {"train": train, "val": videos("d", "e")}) == []
    (finding,) = check_sequences(images, {"train": train, "val": videos("d", "b")})
    assert (finding.severity, finding.examples) == ("warning", ("b",))
    assert (finding.count, finding.total) == (2, 4)
    for unknown in (None, {}, [3], videos("d"), [dict(id=0), dict(id=1)]):
        (finding,) = check_sequences(images, {"train": train, "val": unknown})
        assert finding.severity == "note"


def test_classes_in_another_order() -> None:
    other = clean()
    other["categories"].reverse()
    tables = {"train": make_table(clean()), "val": make_table(other)}
    assert codes(check_classes(tables, {})) == {"classes-differ": "error"}
    assert check_classes({"train": make_table(clean()), "val": make_table(clean())}, {}) == []
    asked = {"train": ("person",), "val": ("person",)}
    tables = {"train": make_table(clean(), ("person",)), "val": make_table(other, ("person",))}
    assert check_classes(tables, asked) == []


def facts(images, name):
    found = []
    for i, image in enumerate(images):
        small = thumbnail(image)
        found.append(ImageFacts(f"{name}{i}.png", small=small, hash=perceptual_hash(small)))
    return found


def test_near_copies_between_splits_are_counted() -> None:
    rng = np.random.default_rng(0)
    scenes = [np.kron(rng.normal(size=(8, 8)), np.ones((8, 8))) for _ in range(6)]
    train = facts(scenes[:4], "t")
    val = facts([2 * scenes[1] + 3, scenes[4], scenes[5]], "v")
    broken = ImageFacts("x.png", problem="missing")
    findings, pairs = check_near_copies({"train": [*train, broken], "val": val})
    assert pairs == {"train, val": [("t1.png", "v0.png")]}
    assert (findings[0].code, findings[0].severity) == ("near-copies", "warning")
    assert (findings[0].count, findings[0].total) == (1, 3)
    assert check_near_copies({"train": train, "val": val[1:]}) == ([], {"train, val": []})
    assert check_near_copies({"train": train, "val": [broken]}) == ([], {})


def test_a_near_copy_in_a_hundred_is_a_leak_and_fewer_are_a_note() -> None:
    rng = np.random.default_rng(0)
    scenes = [np.kron(rng.normal(size=(8, 8)), np.ones((8, 8))) for _ in range(120)]
    for number, severity in ((100, "warning"), (120, "note")):
        splits = {"train": facts(scenes[:1], "t"), "val": facts(scenes[:number], "v")}
        (finding,), _ = check_near_copies(splits)
        assert (finding.severity, finding.count, finding.total) == (severity, 1, number)
