"""Overlap copy-paste: pixels, boxes, labels and flags after copies, against what was drawn."""

from typing import Any

import numpy as np
import pytest
import torch
from mmdet.registry import HOOKS, TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes, bbox_overlaps
from mmengine.registry import init_default_scope

from mmthermal.datasets import OverlapCopyPaste

LEVELS = (400, 700, 1000)  # of the classes, above the background


def sample(
    boxes: list[tuple[int, int, int, int]],
    labels: list[int],
    *,
    ignored: tuple[int, ...] = (),
    shape: tuple[int, ...] = (80, 120),
) -> dict[str, Any]:
    """Warm rectangles whose level tells their class, as LoadAnnotations leaves them."""
    image = np.random.default_rng(0).normal(21000, 3, shape).astype(np.float32)
    for (x0, y0, x1, y1), label in zip(boxes, labels, strict=True):
        image[y0:y1, x0:x1] += LEVELS[label]
    return dict(
        img=image,
        img_shape=shape[:2],
        gt_bboxes=HorizontalBoxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)),
        gt_bboxes_labels=np.array(labels, np.int64),
        gt_ignore_flags=np.isin(np.arange(len(boxes)), ignored),
    )


PAIR = ([(20, 20, 34, 44), (70, 30, 96, 46)], [0, 2])


def run(results: dict, seed: int, **settings: Any) -> dict:
    np.random.seed(seed)
    return OverlapCopyPaste(**{"prob": 1.0, "scale": (1.0, 1.0), **settings})(results)


def of_class(image: np.ndarray, label: int) -> np.ndarray:
    """Pixels of a class; the outermost ones of a copy are mixed with what is behind it."""
    share = (image - 21000) / LEVELS[label]
    return (share > 0.65) & (share < 1.1)


@pytest.mark.parametrize("seed", range(30))
def test_boxes_are_those_of_the_pixels(seed: int) -> None:
    results = run(sample(*PAIR), seed)
    image, boxes = results["img"], results["gt_bboxes"].tensor.numpy()
    assert len(boxes) == 3 == len(results["gt_bboxes_labels"]) == len(results["gt_ignore_flags"])
    assert results["gt_bboxes_labels"][:2].tolist() == PAIR[1]
    assert (boxes >= 0).all() and (boxes[:, 2] <= 120).all() and (boxes[:, 3] <= 80).all()
    for box, label, flag in zip(
        boxes, results["gt_bboxes_labels"], results["gt_ignore_flags"], strict=True
    ):
        if flag:
            continue
        x0, y0, x1, y1 = box.astype(int)
        warm = of_class(image, label)[y0:y1, x0:x1]
        assert warm[:2].any() and warm[-2:].any() and warm[:, :2].any() and warm[:, -2:].any()
    warm = image > 21000 + LEVELS[0] / 3
    covered = np.zeros_like(warm)
    for x0, y0, x1, y1 in boxes.astype(int):
        covered[y0:y1, x0:x1] = True
    assert not (warm & ~covered).any()


@pytest.mark.parametrize("seed", range(20))
def test_overlap_is_within_the_wanted_range(seed: int) -> None:
    results = run(sample(*PAIR), seed, iou=(0.1, 0.3), max_covered=0.99)
    whole = torch.tensor(PAIR[0], dtype=torch.float32)
    copy = results["gt_bboxes"].tensor[2:]
    # a copy behind another shows less of itself than it was placed with
    sizes = copy[0, 2:] - copy[0, :2]
    if sizes.tolist() in ([14, 24], [26, 16]):
        best = bbox_overlaps(copy, whole).max()
        assert 0.1 <= best <= 0.3


def test_before_and_behind_both_happen() -> None:
    """Behind leaves the other object's pixels alone."""
    untouched = []
    for seed in range(30):
        before = sample(*PAIR)
        image = before["img"].copy()
        after = run(before, seed)
        cut = [image[y0:y1, x0:x1] == after["img"][y0:y1, x0:x1] for x0, y0, x1, y1 in PAIR[0]]
        untouched.append(all(part.all() for part in cut))
    assert 5 < sum(untouched) < 25


@pytest.mark.parametrize("covered", ["ignore", "drop"])
def test_what_is_hidden_is_ignored_or_dropped(covered: str) -> None:
    """A small object under a large copy."""
    boxes, labels = [(20, 20, 50, 60), (80, 30, 90, 40)], [0, 2]
    hidden = 0
    for seed in range(60):
        results = run(
            sample(boxes, labels), seed, iou=(0.01, 0.3), max_covered=0.3, covered=covered
        )
        flags, labels_now = results["gt_ignore_flags"], results["gt_bboxes_labels"].tolist()
        if covered == "ignore" and flags.any():
            hidden += 1
            gone = results["gt_bboxes"].tensor[torch.from_numpy(flags)]
            # its label stays the whole one, so that nothing there counts as background
            for box in gone.tolist():
                assert box[2] - box[0] in (10, 30) and box[3] - box[1] in (10, 40)
        if covered == "drop":
            assert not flags.any()
            hidden += labels_now.count(0) + labels_now.count(2) < 3
    assert hidden > 3


def test_what_was_ignored_stays_and_is_neither_copied_nor_covered_on_purpose() -> None:
    for seed in range(10):
        results = run(sample(*PAIR, ignored=(0,)), seed)
        assert results["gt_ignore_flags"][0]
        assert results["gt_bboxes"].tensor[0].tolist() == list(PAIR[0][0])
        assert results["gt_bboxes_labels"].tolist()[2:] in ([], [2])


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [(0, 20, 14, 44)],  # at the border
        [(20, 20, 34, 44), (30, 20, 44, 44)],  # overlap each other
        [(20, 20, 23, 44)],  # too small
    ],
)
def test_what_can_not_be_cut_out_is_not_copied(boxes: list) -> None:
    before = sample(boxes, [0] * len(boxes))
    image = before["img"].copy()
    after = run(before, 0)
    np.testing.assert_array_equal(after["img"], image)
    assert len(after["gt_bboxes"]) == len(boxes)


def test_prob_seed_and_input() -> None:
    before = sample(*PAIR)
    image = before["img"]
    kept = image.copy()
    first, second = (run(sample(*PAIR), 7, scale=(0.8, 1.2)) for _ in range(2))
    np.testing.assert_array_equal(first["img"], second["img"])
    assert torch.equal(first["gt_bboxes"].tensor, second["gt_bboxes"].tensor)
    run(before, 7)
    np.testing.assert_array_equal(image, kept)  # not in place
    assert len(run(sample(*PAIR), 0, prob=0.0)["gt_bboxes"]) == 2
    number = [len(run(sample(*PAIR), seed, prob=0.3)["gt_bboxes"]) for seed in range(200)]
    assert 0.2 < np.mean(np.array(number) > 2) < 0.4
    more = [len(run(sample(*PAIR), seed, max_copies=3)["gt_bboxes"]) for seed in range(30)]
    assert set(more) >= {3, 4, 5}


def test_several_channels_change_alike() -> None:
    one = run(sample(*PAIR), 3)
    three = sample(*PAIR)
    three["img"] = np.repeat(three["img"][..., None], 3, 2)
    three = run(three, 3)
    for k in range(3):
        np.testing.assert_array_equal(three["img"][..., k], one["img"])


def test_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="with_mask=False"):
        run({**sample(*PAIR), "gt_masks": None}, 0)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (dict(prob=1.5), ValueError, "prob=1.5"),
        (dict(iou=(0.5, 0.2)), ValueError, "iou=0.2"),
        (dict(scale=(0, 1)), ValueError, "scale=0"),
        (dict(max_copies=0), ValueError, "max_copies=0"),
        (dict(max_covered=1.0), ValueError, "max_covered=1.0"),
        (dict(covered="keep"), ValueError, "covered='keep'"),
        (dict(masks=True), TypeError, "masks"),
    ],
)
def test_wrong_settings(settings: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TRANSFORMS.build(dict(type="OverlapCopyPaste", **settings))


def test_mmdets_hook_switches_it_off() -> None:
    """The pipeline of the last epochs, as in configs/studies/augmentations.py."""

    class Loader:
        persistent_workers = False
        dataset = type("Dataset", (), {"pipeline": None})()

    class Runner:
        epoch = 3
        train_dataloader = Loader()
        logger = type("Logger", (), {"info": staticmethod(print)})()

    init_default_scope("mmdet")
    steps = [dict(type="LoadThermalImage"), dict(type="NormalizeFrame")]
    hook = HOOKS.build(dict(type="PipelineSwitchHook", switch_epoch=4, switch_pipeline=steps))
    hook.before_train_epoch(Runner())
    assert Loader.dataset.pipeline is None
    Runner.epoch = 4
    hook.before_train_epoch(Runner())
    names = [type(step).__name__ for step in Loader.dataset.pipeline.transforms]
    assert names == ["LoadThermalImage", "NormalizeFrame"]


def test_no_other_object_is_covered_by_more_than_is_wanted() -> None:
    """The target has a neighbour, beside which a copy has to keep its distance, too."""
    boxes = [(20, 20, 34, 44), (70, 30, 84, 54), (84, 30, 98, 54)]
    whole = 0
    for seed in range(60):
        copies = run(sample(boxes, [0, 2, 1]), seed, iou=(0.05, 0.15))["gt_bboxes"].tensor[3:]
        if len(copies) and (copies[0, 2:] - copies[0, :2]).tolist() == [14, 24]:
            whole += 1
            assert bbox_overlaps(copies, torch.tensor(boxes, dtype=torch.float32)).max() <= 0.15
    assert whole > 20


def test_what_is_half_hidden_stays_an_object() -> None:
    """At these IoUs 46 to 57 % of one of two equal rectangles are hidden, and 70 % may be."""
    equal, copies = [(20, 20, 34, 44), (70, 30, 84, 54)], 0
    for seed in range(20):
        flags = run(sample(equal, [0, 2]), seed, iou=(0.3, 0.4))["gt_ignore_flags"]
        copies += len(flags) - 2
        assert not flags.any()
    assert copies > 5


def test_a_mirrored_copy_has_a_mirrored_box() -> None:
    """Labels begin 0.4 of a pixel left of their pixels."""
    left = set()
    for seed in range(30):
        before = sample(*PAIR)
        before["gt_bboxes"].tensor[:, 0] -= 0.4
        copy = run(before, seed)["gt_bboxes"].tensor[2:]
        if len(copy) and abs(copy[0, 2] - copy[0, 0] - 14.4) < 1e-3:
            left.add(round(float(copy[0, 0] % 1), 1))
    assert left == {0.0, 0.6}
