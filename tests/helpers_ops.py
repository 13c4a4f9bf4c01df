"""Calls of mmcv's operators with stored inputs, and their results; values and gradients."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

Arrays = dict[str, NDArray]

# mmcv's files that ask for operators; as names, because mmcv.ops.nms is a function, too.
FILES = ("nms", "roi_align", "deform_conv", "modulated_deform_conv", "focal_loss", "info")


@contextmanager
def extension(module: ModuleType) -> Iterator[None]:
    """Let mmcv's Python code call this module in place of its extension."""
    importlib.import_module("mmcv.ops")
    files = [importlib.import_module(f"mmcv.ops.{name}") for name in FILES]
    before = [file.ext_module for file in files]
    try:
        for file in files:
            file.ext_module = module
        yield
    finally:
        for file, own in zip(files, before, strict=True):
            file.ext_module = own


def scores_of(arrays: Arrays) -> NDArray:
    """Scores of the boxes, or none."""
    return arrays["dets"][:, 4] if "dets" in arrays else arrays.get("scores", np.zeros(0))


def tensors(arrays: Arrays, *names: str) -> list[torch.Tensor]:
    """Float arrays as leaves that want a gradient."""
    return [torch.tensor(arrays[name]).requires_grad_() for name in names]


def with_gradients(out: torch.Tensor, leaves: list[torch.Tensor], names: list[str]) -> Arrays:
    """The output, and the gradients of a weighted sum of it whose weights differ everywhere."""
    weights = torch.cos(torch.arange(out.numel(), dtype=out.dtype)).view_as(out)
    grads = torch.autograd.grad((out * weights).sum(), leaves)
    results = {f"grad_{name}": grad.numpy() for name, grad in zip(names, grads, strict=True)}
    return {"out": out.detach().numpy(), **results}


def run_nms(a: Arrays) -> Arrays:
    from mmcv.ops import nms

    dets, inds = nms(
        torch.tensor(a["boxes"]), torch.tensor(a["scores"]), float(a["iou_threshold"]),
        offset=int(a["offset"]), score_threshold=float(a["score_threshold"]),
        max_num=int(a["max_num"]),
    )  # fmt: skip
    return {"dets": dets.numpy(), "inds": inds.numpy()}


def run_soft_nms(a: Arrays) -> Arrays:
    from mmcv.ops import soft_nms

    dets, inds = soft_nms(
        torch.tensor(a["boxes"]), torch.tensor(a["scores"]), float(a["iou_threshold"]),
        sigma=0.5, min_score=0.1, method=str(a["method"]), offset=int(a["offset"]),
    )  # fmt: skip
    return {"dets": dets.numpy(), "inds": inds.numpy()}


def run_batched_nms(a: Arrays) -> Arrays:
    from mmcv.ops import batched_nms

    cfg = {
        "type": str(a["type"]),
        "iou_threshold": float(a["iou_threshold"]),
        "split_thr": int(a["split_thr"]),
    }
    boxes, scores, idxs = (torch.tensor(a[name]) for name in ("boxes", "scores", "idxs"))
    dets, inds = batched_nms(boxes, scores, idxs, cfg)
    return {"dets": dets.numpy(), "inds": inds.numpy()}


def run_nms_match(a: Arrays) -> Arrays:
    from mmcv.ops import nms_match

    groups = nms_match(torch.tensor(a["dets"]), float(a["iou_threshold"]))
    return {
        "sizes": np.array([len(group) for group in groups], np.int64),
        "inds": np.array([int(i) for group in groups for i in group], np.int64),
    }


def run_roi_align(a: Arrays) -> Arrays:
    from mmcv.ops import roi_align

    (features,) = tensors(a, "features")
    out = roi_align(
        features, torch.tensor(a["rois"]), tuple(a["output_size"].tolist()),
        float(a["spatial_scale"]), int(a["sampling_ratio"]), str(a["pool_mode"]),
        bool(a["aligned"]),
    )  # fmt: skip
    return with_gradients(out, [features], ["features"])


def run_deform_conv(a: Arrays) -> Arrays:
    from mmcv.ops import deform_conv2d

    names = ["features", "shifts", "filters"]
    leaves = tensors(a, *names)
    out = deform_conv2d(*leaves, *a["geometry"].tolist())
    return with_gradients(out, leaves, names)


def run_modulated_deform_conv(a: Arrays) -> Arrays:
    from mmcv.ops import modulated_deform_conv2d

    names = ["features", "shifts", "mask", "filters"] + ["bias"] * ("bias" in a)
    leaves = tensors(a, *names)
    tail = leaves if "bias" in a else [*leaves, None]
    out = modulated_deform_conv2d(*tail, *a["geometry"].tolist())
    return with_gradients(out, leaves, names)


RUN: dict[str, Callable[[Arrays], Arrays]] = {
    "nms": run_nms,
    "soft_nms": run_soft_nms,
    "batched_nms": run_batched_nms,
    "nms_match": run_nms_match,
    "roi_align": run_roi_align,
    "deform_conv": run_deform_conv,
    "modulated_deform_conv": run_modulated_deform_conv,
}
