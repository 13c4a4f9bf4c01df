"""Draw loss_cost.png of docs/gpu.md: time of the loss by anchors, classes and images.

Example: OMP_NUM_THREADS=1 python docs/images/draw_loss_cost.py
"""

import sys
from importlib import import_module
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
loss_speed = import_module("loss_speed")  # the folder is no package

COLOURS = {
    "focal (mmdet)": "#6b7280",
    "GHM (mmdet)": "#d1d5db",
    "composite, default": "#2563eb",
    "composite, sampled dense term": "#93c5fd",
}
SWEEPS = {  # (images, height, width, classes), and what the axis counts
    "anchors an image (2 images, 4 classes)": (
        [(2, height, height * 5 // 4, 4) for height in (64, 128, 256, 512)],
        lambda size: 9 * sum(-(-size[1] // s) * -(-size[2] // s) for s in (4, 8, 16, 32)),
    ),
    "classes (2 images of 256 x 320)": (
        [(2, 256, 320, classes) for classes in (1, 4, 20, 80)],
        lambda size: size[3],
    ),
    "images of 128 x 160 (3 classes)": (
        [(images, 128, 160, 3) for images in (1, 4, 16, 64)],
        lambda size: size[0],
    ),
}


def draw(path: Path, device: str, repeats: int = 5) -> None:
    """Measure the sweeps and draw them.

    Args:
        path: the picture.
        device: ``'cpu'`` or ``'cuda'``.
        repeats: steps of each point, of which the median counts.
    """
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
    for axis, (label, (sizes, count)) in zip(axes, SWEEPS.items(), strict=True):
        found = [
            loss_speed.measure(size, device, loss_speed.torch.float32, repeats, list(COLOURS))
            for size in sizes
        ]
        for number, (name, colour) in enumerate(COLOURS.items()):
            times = [1e3 * rows[number]["loss_by_feat"] for rows in found]
            axis.loglog([count(s) for s in sizes], times, "o-", color=colour, label=name, ms=4)
        axis.set_xlabel(label)
        axis.grid(alpha=0.3, which="both", linewidth=0.5)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("loss_by_feat, forward and backward, ms")
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    loss_speed.torch.set_num_threads(1)
    draw(
        Path(__file__).with_name("loss_cost.png"),
        "cuda" if loss_speed.torch.cuda.is_available() else "cpu",
    )
