"""Draw collapse.png of docs/method.md: the loss of a trained detector as its scores are shifted.

Example:
    python tools/train.py configs/retinanet/retina_focal_hituav160.py
    python docs/images/draw_collapse.py work_dirs/retina_focal_hituav160/epoch_6.pth
"""

import argparse
from itertools import islice
from pathlib import Path
from typing import Any

import mmthermal  # noqa: F401 (first: mmdet finds mmcv's operators by it)

# isort: split
import matplotlib
import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, load_checkpoint

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the choice of backend

ROOT = Path(__file__).resolve().parents[2]
SOFT: dict[str, Any] = dict(w_dense=0.0, f1_form="soft")
PAPER: dict[str, Any] = dict(**SOFT, mean="paper", f1_negatives="paper")
LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "the paper's mean": ("#ea580c", PAPER),
    "the paper's mean, dense term on": ("#fdba74", {**PAPER, "w_dense": 1.0}),
    "the simple variant": (
        "#6b7280",
        {**PAPER, "cls_negatives": "joint", "f1_negatives": "ignore"},
    ),
    "shifted mean": ("#2563eb", SOFT),
}
SHIFTS = np.linspace(-5, 1, 25)


def measure(config: Path, checkpoint: Path, batches: int) -> dict[str, np.ndarray]:
    """Classification loss on training images, each score's logit shifted by each of ``SHIFTS``.

    Args:
        config: of a RetinaNet with the composite loss.
        checkpoint: trained weights of the same network.
        batches: how many of the training set are used.

    Returns:
        the loss by shift for each of ``LOSSES``.
    """
    cfg = Config.fromfile(config)
    init_default_scope("mmdet")
    model = MODELS.build(cfg.model)
    load_checkpoint(model, str(checkpoint), map_location="cpu")
    model.eval()
    head = model.bbox_head
    bias = head.retina_cls.bias.detach().clone()
    losses = {
        name: MODELS.build(dict(type="CompositeLoss", **settings))
        for name, (_, settings) in LOSSES.items()
    }
    total = {name: np.zeros(len(SHIFTS)) for name in LOSSES}
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    with torch.no_grad():
        for batch in islice(loader, batches):
            data = model.data_preprocessor(batch, training=True)
            features = model.extract_feat(data["inputs"])
            for at, shift in enumerate(SHIFTS):
                head.retina_cls.bias.copy_(bias + shift)
                for name, loss in losses.items():
                    head.loss_composite = loss
                    parts = head.loss(features, data["data_samples"])
                    total[name][at] += float(parts["loss_cls"])
    return {name: values / batches for name, values in total.items()}


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--config", type=Path, default=ROOT / "configs/retinanet/retina_composite_hituav160.py"
    )
    parser.add_argument("--batches", type=int, default=4)
    args = parser.parse_args()
    figure, axes = plt.subplots(figsize=(6.2, 3.6), layout="constrained")
    for name, values in measure(args.config, args.checkpoint, args.batches).items():
        relative = values / np.interp(0, SHIFTS, values)
        axes.plot(SHIFTS, relative, color=LOSSES[name][0], label=name)
        at = [
            f"{np.interp(shift, SHIFTS, relative):.2f} at {shift:+d}" for shift in (-4, -2, -1, 1)
        ]
        print(f"{name}: {', '.join(at)}")
    axes.axvline(0, color="#6b7280", lw=0.8, ls=":")
    axes.set(
        xlabel="shift of every logit of a trained detector",
        ylabel="classification loss, 1 where trained",
        ylim=(0, 3),
    )
    axes.legend(edgecolor="none", framealpha=1, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    target = Path(__file__).with_name("collapse.png")
    figure.savefig(target, dpi=110)
    print(target)


if __name__ == "__main__":
    main()
