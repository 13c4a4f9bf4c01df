"""Judged boxes and the choice of images."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers_tables import random_scene
from pycocotools import mask as mask_utils

from mmthermal.studies.gallery import Judged, choose_images, judge, picture_uri


def gt(bbox: list, cat: int = 1, crowd: int = 0) -> dict:
    return {"bbox": bbox, "category_id": cat, "iscrowd": crowd}


def det(bbox: list, score: float, cat: int = 1) -> dict:
    return {"bbox": bbox, "category_id": cat, "score": score}


BOX, FAR = [0, 0, 10, 10], [50, 50, 10, 10]


def judge_slowly(gts: list[dict], detections: list[dict], iou_thr: float) -> Judged:
    """COCO's greedy matching of one image as plain loops over detections and ground truths."""
    states = ["error"] * len(detections)
    crowd = [bool(g["iscrowd"]) for g in gts]
    found = crowd.copy()
    ious = mask_utils.iou(
        np.array([d["bbox"] for d in detections], dtype=float).reshape(-1, 4),
        np.array([g["bbox"] for g in gts], dtype=float).reshape(-1, 4),
        [int(c) for c in crowd],
    )
    for i in sorted(range(len(detections)), key=lambda i: -detections[i]["score"]):
        own = [j for j, g in enumerate(gts) if g["category_id"] == detections[i]["category_id"]]
        best, best_iou = None, iou_thr
        for j in own:
            if not found[j] and ious[i][j] >= best_iou:
                best, best_iou = j, ious[i][j]
        if best is not None:
            states[i], found[best] = "hit", True
        elif any(crowd[j] and ious[i][j] >= iou_thr for j in own):
            states[i] = "ignored"
    return Judged(states, found)


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_judging_equals_a_plain_loop(seed: int) -> None:
    dataset, detections = random_scene(seed)  # with equal scores, equal IoUs and crowds
    states = []
    for image in dataset["images"]:
        gts = [ann for ann in dataset["annotations"] if ann["image_id"] == image["id"]]
        dets = [found for found in detections if found["image_id"] == image["id"]]
        for thr in (0.3, 0.5, 0.75) if gts and dets else ():
            judged = judge(gts, dets, iou_thr=thr)
            assert judged == judge_slowly(gts, dets, thr)
            states += judged.states
    assert set(states) == {"hit", "error", "ignored"}


def test_the_surer_of_two_detections_gets_the_object() -> None:
    judged = judge([gt(BOX)], [det(BOX, 0.5), det(BOX, 0.9)])
    assert judged.states == ["error", "hit"]
    assert judged.found == [True]
    assert judged.num_errors == 1


def test_another_class_is_an_error_and_a_miss() -> None:
    judged = judge([gt(BOX, cat=1)], [det(BOX, 0.9, cat=2)])
    assert judged.num_errors == 2


def test_iou_at_the_threshold_counts() -> None:
    # 10 × 10 against 10 × 20: IoU 0.5
    assert judge([gt([0, 0, 10, 20])], [det(BOX, 0.9)]).states == ["hit"]
    assert judge([gt([0, 0, 10, 21])], [det(BOX, 0.9)]).states == ["error"]


def test_a_crowd_region_forgives_any_number_but_is_no_object() -> None:
    for region in (gt([0, 0, 40, 40], crowd=1), {**gt([0, 0, 40, 40]), "ignore": 1}):
        judged = judge([region], [det(BOX, 0.9), det(BOX, 0.8), det(FAR, 0.7)])
        assert judged.states == ["ignored", "ignored", "error"]
        assert judged.num_errors == 1


def test_each_of_two_overlapping_objects_takes_its_own_detection() -> None:
    near = [4, 0, 10, 10]
    judged = judge([gt(BOX), gt(near)], [det(near, 0.9), det(BOX, 0.8)])
    assert judged.states == ["hit", "hit"]


@pytest.mark.parametrize(("gts", "dets", "errors"), [([], [], 0), ([gt(BOX)], [], 1),
                                                     ([], [det(BOX, 0.9)], 1)])  # fmt: skip
def test_empty_sides(gts: list, dets: list, errors: int) -> None:
    assert judge(gts, dets).num_errors == errors


def test_the_largest_differences_come_first_in_either_direction() -> None:
    gains = np.array([0.0, 1.0, -3.0, 2.0])
    assert choose_images(gains, [set()] * 4, size=6) == [2, 3, 1]


def test_every_tag_gets_a_place() -> None:
    gains = np.array([9.0, 8.0, 7.0, 6.0, 1.0])
    tags = [{"a"}, {"a"}, {"a"}, {"a"}, {"b"}]
    assert choose_images(gains, tags, size=3) == [0, 1, 4]


def test_images_without_a_difference_are_left_out() -> None:
    assert choose_images(np.zeros(3), [{"a"}] * 3) == []


def decode(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.split(",", 1)[1])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_small_pictures_are_embedded_without_loss_and_with_contrast(
    tmp_path: Path, kind: type
) -> None:
    base = 0 if kind == np.uint8 else 30_000
    picture = (base + np.random.default_rng(0).integers(100, 140, (20, 30))).astype(kind)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    uri = picture_uri(tmp_path / "a.png")
    assert uri.startswith("data:image/png;base64,")
    shown = decode(uri)
    assert shown.shape == (20, 30)
    assert (shown.min(), shown.max()) == (0, 255)
    assert (np.diff(shown.ravel()[np.argsort(picture, axis=None)].astype(int)) >= 0).all()


def test_colours_are_kept(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    np.testing.assert_array_equal(decode(picture_uri(tmp_path / "a.png")), picture[..., :3])


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((600, 1200, 3), np.uint8))
    uri = picture_uri(tmp_path / "a.png", max_side=300)
    assert uri.startswith("data:image/jpeg")
    assert decode(uri).shape[:2] == (150, 300)


def test_missing_and_broken_pictures_give_none(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert picture_uri(tmp_path / "none.png") is None
    assert picture_uri(tmp_path / "broken.png") is None
