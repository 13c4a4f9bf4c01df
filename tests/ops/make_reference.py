"""Make tests/ops/data/*.npz: results of a compiled mmcv that the tests compare with.

    python tests/ops/make_reference.py

Needs a compiled mmcv (``make OPS=compiled setup``). compiled.npz has, for each case, the inputs as
``operator/case/in/name`` and the results as ``operator/case/out/name``; detectors.npz has, for each
of mmdet's detectors, its losses, gradients and detections as ``detector/name``.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers_detectors import DETECTORS, run_detector
from helpers_ops import RUN, Arrays, scores_of

DATA = Path(__file__).resolve().parent / "data"
Case = tuple[str, str, dict]


def boxes(rng: np.random.Generator, count: int, size: float = 60.0, side: float = 25.0) -> Arrays:
    """Boxes that overlap a lot, and scores that differ."""
    corner, sides = rng.random((count, 2)) * size, rng.random((count, 2)) * side
    scores = rng.permutation(count) / max(count, 1)
    return {
        "boxes": np.concatenate([corner, corner + sides], 1).astype(np.float32),
        "scores": scores.astype(np.float32),
    }


def special_boxes() -> Iterator[tuple[str, Arrays]]:
    """Sets of boxes that operators get wrong."""
    rng = np.random.default_rng(1)
    yield "none", boxes(rng, 0)
    yield "one", boxes(rng, 1)
    yield "many", boxes(rng, 300)
    twice = boxes(rng, 20)
    yield "the same twice", {k: np.concatenate([v, v]) for k, v in twice.items()}
    yield "few scores", {**boxes(rng, 60), "scores": np.repeat([0.9, 0.5, 0.2], 20).astype("f4")}
    grid = np.array([[x, y, x + 4, y + 4] for x in range(0, 12, 2) for y in range(0, 12, 2)], "f4")
    # IoU 1/3 or 1/7 exactly: at the threshold, which is where > and >= differ.
    yield "at the threshold", {"boxes": grid, "scores": np.arange(36, dtype="f4")[::-1] / 36}
    yield "outside", {**(b := boxes(rng, 50)), "boxes": b["boxes"] - 40}
    flat = boxes(rng, 30)
    flat["boxes"][::3, 2:] = flat["boxes"][::3, :2]
    yield "of no size", flat


def nms_cases() -> Iterator[Case]:
    """All operators that suppress boxes."""
    for name, arrays in special_boxes():
        for offset in (0, 1):
            for threshold in (0.3, 1 / 3, 0.6):
                settings = {"iou_threshold": threshold, "offset": offset}
                more = {"score_threshold": 0.0, "max_num": -1}
                yield "nms", f"{name}, {offset}, {threshold:.2f}", {**arrays, **settings, **more}
            for method in ("naive", "linear", "gaussian"):
                if name in ("few scores", "of no size") and method == "gaussian":
                    continue  # 0 / 0 and an exp of another last digit decide about ties there
                arguments = {**arrays, "iou_threshold": 0.3, "offset": offset, "method": method}
                yield "soft_nms", f"{name}, {offset}, {method}", arguments
        if name != "none":
            dets = np.concatenate([arrays["boxes"], arrays["scores"][:, None]], 1)
            for threshold in (0.3, 1 / 3):
                arguments = {"dets": dets, "iou_threshold": threshold}
                yield "nms_match", f"{name}, {threshold:.2f}", arguments
            for kind, split in (("nms", 10000), ("soft_nms", 10000), ("nms", 10)):
                idxs = np.arange(len(dets)) % 3
                settings = {"type": kind, "iou_threshold": 0.4, "split_thr": split}
                yield (
                    "batched_nms",
                    f"{name}, {kind}, {split}",
                    {**arrays, "idxs": idxs, **settings},
                )
    many = boxes(np.random.default_rng(2), 100)
    settings = {"iou_threshold": 0.5, "offset": 0, "score_threshold": 0.4, "max_num": 12}
    yield "nms", "filtered", {**many, **settings}


def roi_cases() -> Iterator[Case]:
    """RoIAlign over several images, with RoIs at and beyond the border and of no size."""
    rng = np.random.default_rng(3)
    features = rng.standard_normal((2, 3, 9, 11)).astype(np.float32)
    inside = boxes(rng, 8, 30, 20)["boxes"]
    special = np.array(
        [
            [0, 0, 44, 36],  # the whole image
            [10, 10, 10, 10],  # no size
            [10, 10, 30, 10],  # no height
            [-20, -20, 12, 12],  # partly outside
            [200, 200, 220, 240],  # wholly outside
            [40, 30, 60, 50],  # over the far border
            [3.5, 4.5, 5.0, 6.0],  # less than one pixel of the features
            [8, 8, 24, 24],  # on the pixels' grid
        ],
        np.float32,
    )
    images = (np.arange(16) % 2).astype(np.float32)[:, None]
    rois = np.concatenate([images, np.concatenate([inside, special])], 1)
    base = {"features": features, "spatial_scale": 0.25}
    for aligned in (False, True):
        for ratio in (0, 2):
            for mode in ("avg", "max"):
                for size in ((3, 3), (2, 5)):
                    settings = {"sampling_ratio": ratio, "pool_mode": mode, "aligned": aligned}
                    arguments = {**base, "rois": rois, "output_size": np.array(size), **settings}
                    yield "roi_align", f"{mode}, {ratio}, {aligned}, {size}", arguments
    settings = {"sampling_ratio": 0, "pool_mode": "avg", "aligned": True}
    size = {"output_size": np.array((7, 7))}
    yield "roi_align", "none", {**base, "rois": rois[:0], **size, **settings}
    yield "roi_align", "one", {**base, "rois": rois[:1], **size, **settings}
    ones = {**base, "features": np.ones((1, 2, 1, 1), np.float32), "rois": rois[:1]}
    yield "roi_align", "one pixel", {**ones, **size, **settings}


def conv_cases() -> Iterator[Case]:
    """Deformable convolutions: strides, groups, and taps on the grid and outside."""
    rng = np.random.default_rng(4)
    for stride, padding, dilation, groups, offset_groups, kernel in (
        (1, 1, 1, 1, 1, 3),
        (2, 2, 2, 2, 2, 3),
        (1, 0, 1, 1, 4, 1),
    ):
        features = rng.standard_normal((2, 4, 6, 7))
        reach = dilation * (kernel - 1) + 1
        size = [(n + 2 * padding - reach) // stride + 1 for n in (6, 7)]
        taps = offset_groups * kernel * kernel
        shifts = rng.standard_normal((2, 2 * taps, *size)) * 3
        shifts[0] = shifts[0].round()  # on the grid, where the derivative jumps
        shifts[1, :2] = 0
        filters = rng.standard_normal((6, 4 // groups, kernel, kernel))
        arrays = {"features": features, "shifts": shifts, "filters": filters}
        arrays = {k: v.astype(np.float32) for k, v in arrays.items()}
        arrays["geometry"] = np.array([stride, padding, dilation, groups, offset_groups])
        name = f"{stride}, {padding}, {dilation}, {groups}, {offset_groups}, {kernel}"
        yield "deform_conv", name, arrays
        mask = rng.random((2, taps, *size)).astype(np.float32)
        yield "modulated_deform_conv", name, {**arrays, "mask": mask}
        bias = rng.standard_normal(6).astype(np.float32)
        yield "modulated_deform_conv", f"{name}, bias", {**arrays, "mask": mask, "bias": bias}


def main() -> None:
    """Run every case with the compiled operators and store what came out."""
    import mmcv._ext

    assert mmcv._ext.__name__ == "mmcv._ext", "mmcv is not compiled here"
    stored = {}
    for maker in (nms_cases, roi_cases, conv_cases):
        for operator, name, arguments in maker():
            arguments = {k: np.asarray(v) for k, v in arguments.items()}
            if len(np.unique(scores := scores_of(arguments))) < len(scores):
                # torch's sort puts equal scores in an order that differs between processors.
                order = torch.tensor(scores).sort(0, descending=True)[1]
                arguments["order"] = order.numpy()
            for way, arrays in (("in", arguments), ("out", RUN[operator](arguments))):
                stored.update({f"{operator}/{name}/{way}/{k}": v for k, v in arrays.items()})
    detections = {
        f"{name}/{key}": value for name in DETECTORS for key, value in run_detector(name).items()
    }
    DATA.mkdir(exist_ok=True)
    for path, arrays in (
        (DATA / "compiled.npz", stored),
        (DATA / "detectors.npz", detections),
    ):
        np.savez_compressed(path, **arrays)
        print(f"{path}: {len(arrays)} arrays, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
