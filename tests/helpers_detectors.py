"""mmdet's detectors, small, with weights that depend on nothing but their names."""

import copy
import importlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.hub import get_config
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

DETECTORS = {
    "RetinaNet": "retinanet/retinanet_r50_fpn_1x_coco.py",
    "FCOS": "fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py",
    "ATSS": "atss/atss_r50_fpn_1x_coco.py",
    "GFL": "gfl/gfl_r50_fpn_1x_coco.py",
    "VFNet": "vfnet/vfnet_r50-mdconv-c3-c5_fpn_ms-2x_coco.py",
    "TOOD": "tood/tood_r50_fpn_1x_coco.py",
    "Faster R-CNN": "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py",
    "Cascade R-CNN": "cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py",
    "Mask R-CNN": "mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py",
}
SIZE = (96, 128)  # height, width


def shrink(cfg: Any) -> Any:
    """Three classes, 32 channels after the backbone, and no pretrained weights, at any depth."""
    if isinstance(cfg, dict):
        if "checkpoint" in str(cfg.get("init_cfg", "")):
            cfg["init_cfg"] = None
        for key, value in cfg.items():
            if key == "num_classes":
                cfg[key] = 3
            elif value == 256 and key != "roi_feat_size":
                cfg[key] = 32
            elif value == 1024 and key == "fc_out_channels":
                cfg[key] = 64
            elif key == "score_thr":
                cfg[key] = 0.0
            elif key == "max_per_img":
                cfg[key] = 20
            shrink(cfg[key])
    elif isinstance(cfg, (list, tuple)):
        for value in cfg:
            shrink(value)
    return cfg


def thin_r50(cfg: Any) -> Any:
    """A detector's config, shrunk, with a quarter of the channels in its ResNet-50."""
    shrink(cfg)
    cfg.backbone.update(base_channels=16, stem_channels=16)
    cfg.neck.in_channels = [64, 128, 256, 512]
    return cfg


def build_detector(name: str) -> Any:
    """The detector of mmdet's config, thin, with weights by the name of each parameter."""
    from mmdet.registry import MODELS

    init_default_scope("mmdet")
    model = MODELS.build(thin_r50(copy.deepcopy(get_config(f"mmdet::{DETECTORS[name]}").model)))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            rng = np.random.default_rng(zlib.crc32(key.encode()))
            fan_in = max(1, parameter[0].numel()) if parameter.dim() > 1 else 1
            if parameter.dim() > 1:
                values = rng.standard_normal(parameter.shape) * (1.5 / fan_in) ** 0.5
            else:
                values = rng.random(parameter.shape) * 0.2 + (key.endswith("weight") * 0.8)
            parameter.copy_(torch.as_tensor(values))
    return model


def batch(masks: bool) -> dict[str, Any]:
    """Two images, the second one with one object only."""
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks

    rng = np.random.default_rng(5)
    samples = []
    for count in (4, 1):
        low = rng.random((count, 2)) * np.array([80, 50])
        boxes = np.concatenate([low, low + 15 + rng.random((count, 2)) * 30], 1).astype(np.float32)
        instances = InstanceData(
            bboxes=torch.from_numpy(boxes), labels=torch.from_numpy(rng.integers(0, 3, count))
        )
        if masks:
            maps = np.zeros((count, *SIZE), np.uint8)
            for one, (x1, y1, x2, y2) in zip(maps, boxes.astype(int), strict=True):
                one[y1:y2, x1 : (x1 + x2) // 2] = 1
            instances.masks = BitmapMasks(maps, *SIZE)
        sample = DetDataSample(gt_instances=instances)
        sample.set_metainfo(
            dict(img_shape=SIZE, ori_shape=SIZE, pad_shape=SIZE, batch_input_shape=SIZE,
                 scale_factor=(1.0, 1.0), img_id=count)
        )  # fmt: skip
        samples.append(sample)
    images = rng.integers(0, 255, (2, 3, *SIZE)).astype(np.float32)
    return {"inputs": list(torch.from_numpy(images)), "data_samples": samples}


# Functions of torch that take no two float types, and which argument may have another one.
STRICT = {Tensor.__setitem__: 2, F.binary_cross_entropy: 1, F.grid_sample: 1}


class MixedFloats(TorchFunctionMode):
    """Let torch's strict functions mix float types: mmdet's anchors and targets are float32."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        index = STRICT.get(func)
        if index is not None and isinstance(args[index], Tensor):
            args = (*args[:index], args[index].to(args[0].dtype), *args[index + 1 :])
        return func(*args, **(kwargs or {}))


@contextmanager
def float64() -> Iterator[None]:
    """Compute in float64, but for anchors, targets, and which boxes mmcv's nms keeps.

    Sums in float32 round differently on each processor, and gradients then differ by a hundredth,
    where the input of a ReLU or a tap of a deformable convolution lies that near to a kink.
    """
    operators = importlib.import_module("mmcv.ops.nms").ext_module
    nms = operators.nms

    def nms_of_float32(boxes: Tensor, scores: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        ranks = scores.argsort(stable=True).argsort()  # two scores may be one in float32
        return nms(boxes.float(), ranks.float(), *args, **kwargs)

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with patch.object(operators, "nms", nms_of_float32), MixedFloats():
            yield
    finally:
        torch.set_default_dtype(before)


@float64()
def run_detector(name: str) -> dict[str, NDArray]:
    """One step of training and one of prediction, in float64.

    Args:
        name: one of DETECTORS.

    Returns:
        the sum of the losses, the norm of each parameter's gradient, and boxes, scores, labels
        and mask areas of all detections.
    """
    model = build_detector(name)
    # What a training would have set; TOOD uses its own assigner from the fourth epoch on.
    MessageHub.get_current_instance().update_info("epoch", 10)
    torch.manual_seed(0)  # samplers of RoIs
    data = model.data_preprocessor(batch("Mask" in name), training=True)
    loss, _ = model.parse_losses(model(**copy.deepcopy(data), mode="loss"))
    loss.backward()
    norms = [p.grad.norm() for p in model.parameters() if p.grad is not None]
    model.eval()
    with torch.no_grad():
        found = [sample.pred_instances for sample in model(**data, mode="predict")]
    results = {
        "loss": loss.detach(),
        "grad_norms": torch.stack(norms),
        "bboxes": torch.cat([one.bboxes for one in found]),
        "scores": torch.cat([one.scores for one in found]),
        "labels": torch.cat([one.labels for one in found]),
    }
    if "Mask" in name:
        results["areas"] = torch.cat([one.masks.flatten(1).sum(1) for one in found])
    return {key: value.numpy() for key, value in results.items()}
