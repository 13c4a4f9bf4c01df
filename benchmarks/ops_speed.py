"""Time mmthermal's operators against those of a compiled mmcv, alone and in detectors.

Times are seconds of the processor on one thread, the smallest of several rounds, which other work
on the machine disturbs little. Without a compiled mmcv (``make OPS=compiled setup``) there are no
ratios. Limits: nms of 1,000 boxes in 5 ms, a prediction in 1.2 times and a training step of
Faster R-CNN in 1.5 times the compiled operators' time.

Example: python benchmarks/ops_speed.py --rounds 5
"""

import argparse
import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import mmthermal  # noqa: F401 (first: mmdet finds mmcv's operators by it)

# isort: split
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import Tensor

from mmthermal.ops import extension

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
# mmcv's files that call operators; by name, because mmcv.ops.nms is a function, too.
FILES = ("nms", "roi_align", "deform_conv", "modulated_deform_conv")
Steps = dict[str, Callable[[], Any]]


@contextmanager
def calling(module: ModuleType) -> Iterator[None]:
    """Let mmcv's Python code call this module's operators."""
    files = [importlib.import_module(f"mmcv.ops.{name}") for name in FILES]
    before = [file.ext_module for file in files]
    for file in files:
        file.ext_module = module
    try:
        yield
    finally:
        for file, own in zip(files, before, strict=True):
            file.ext_module = own


def make_boxes(count: int, size: float) -> Tensor:
    """Random boxes with sides up to 30 pixels, in an image of this size: (count, 4)."""
    corners = torch.rand(count, 2) * size
    return torch.cat([corners, corners + 2 + torch.rand(count, 2) * 28], 1)


def operator_steps() -> Steps:
    """The operators alone, in sizes that detectors here use."""
    from mmcv.ops import batched_nms, deform_conv2d, nms, roi_align

    crowded, sparse, scores = make_boxes(1000, 130), make_boxes(1000, 2000), torch.rand(1000)
    labels = torch.randint(0, 3, (1000,))
    features = torch.randn(4, 128, 32, 40, requires_grad=True)
    images = torch.randint(0, 4, (512, 1)).float()
    rois = torch.cat([images, make_boxes(512, 100)], 1)
    shifts = torch.randn(4, 18, 32, 40, requires_grad=True)
    filters = torch.randn(128, 128, 3, 3, requires_grad=True)

    def pool() -> Tensor:
        return roi_align(features, rois, 7, 0.25, 0, "avg", True)

    def convolve() -> Tensor:
        return deform_conv2d(features, shifts, filters, 1, 1)

    cfg = {"type": "nms", "iou_threshold": 0.5}
    return {
        "nms, 1,000 boxes, crowded": lambda: nms(crowded, scores, 0.5),
        "nms, 1,000 boxes, sparse": lambda: nms(sparse, scores, 0.5),
        "batched_nms, 1,000 boxes, 3 classes": lambda: batched_nms(crowded, scores, labels, cfg),
        "soft_nms, 1,000 boxes": lambda: batched_nms(
            crowded, scores, labels, {**cfg, "type": "soft_nms", "min_score": 0.05}
        ),
        "RoIAlign, 512 RoIs": pool,
        "RoIAlign with gradient": lambda: pool().sum().backward(),
        "deformable convolution": convolve,
        "deformable convolution with gradient": lambda: convolve().sum().backward(),
    }


def detector_steps(name: str) -> Steps:
    """A step of training and one of prediction of a config's detector, on random images."""
    init_default_scope("mmdet")
    cfg = Config.fromfile(CONFIGS / name)
    model = MODELS.build(cfg.model)
    channels = model.data_preprocessor.mean.numel()
    inputs = [torch.randn(channels, 128, 160) * 50 + 100 for _ in range(4)]
    samples = []
    for _ in inputs:
        boxes, labels = make_boxes(12, 90), torch.randint(0, 3, (12,))
        sample = DetDataSample(gt_instances=InstanceData(bboxes=boxes, labels=labels))
        sample.set_metainfo(
            {"img_shape": (128, 160), "ori_shape": (128, 160), "scale_factor": (1.0, 1.0)}
        )
        samples.append(sample)

    def run(mode: str) -> Any:
        model.train(mode == "loss")
        data = {"inputs": list(inputs), "data_samples": [sample.clone() for sample in samples]}
        return model(**model.data_preprocessor(data, training=mode == "loss"), mode=mode)

    def train() -> None:
        torch.manual_seed(0)
        model.parse_losses(run("loss"))[0].backward()

    @torch.no_grad()
    def predict() -> None:
        run("predict")

    label = Path(name).stem
    return {f"{label}: prediction, 4 images": predict, f"{label}: training step": train}


def best_times(step: Callable[[], Any], modules: list[ModuleType], rounds: int) -> list[float]:
    """Smallest time of a step with each module's operators, in milliseconds, taken in turns."""
    times: list[list[float]] = [[] for _ in modules]
    for _ in range(rounds + 1):  # the first round warms up
        for module, found in zip(modules, times, strict=True):
            with calling(module):
                start = time.process_time()
                step()
                found.append((time.process_time() - start) * 1e3)
    return [min(found[1:]) for found in times]


def main() -> None:
    """Print a table of times and ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement")
    parser.add_argument(
        "--configs",
        nargs="*",
        default=[
            "retinanet/retina_composite_synthetic.py",
            "faster_rcnn/faster_rcnn_ce_synthetic.py",
        ],
        help="files of configs/",
    )
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    compiled = importlib.import_module("mmcv._ext")
    modules: list[ModuleType] = [extension]
    if compiled is not extension:
        modules.append(compiled)
    steps = operator_steps()
    for name in args.configs:
        steps.update(detector_steps(name))
    print(f"{'step':44} {'mmthermal':>12} {'compiled':>12} {'ratio':>6}")
    for label, step in steps.items():
        own, *other = best_times(step, modules, args.rounds)
        line = f"{label:44} {own:9.1f} ms"
        print(line + (f" {other[0]:9.1f} ms {own / other[0]:6.2f}" if other else ""), flush=True)


if __name__ == "__main__":
    main()
