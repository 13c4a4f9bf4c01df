"""Draw augmentations.png of docs/augmentations.md: one thermal frame, every augmentation.

Example: python docs/images/draw_augmentations.py --data ../shared/data/hituav160
"""

import argparse
import copy
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

import mmthermal  # noqa: F401 (registers the transforms)

# isort: split
from mmdet.registry import DATASETS, TRANSFORMS
from mmengine.registry import init_default_scope

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the choice of backend

COLOURS = ("#38bdf8", "#facc15", "#a3e635")
BOXES = ("Overlap", "Jitter", "frame")
STEPS: dict[str, list[dict]] = {
    "the frame": [],
    "RandomDrift\n(shading)": [dict(type="RandomDrift", gain=0.0, offset=0.0, shading=2.0)],
    "RandomDrift\n(gain, offset)": [dict(type="RandomDrift", gain=0.6, offset=2.0, shading=0.0)],
    "RandomFixedPattern\n(columns, pixels)": [dict(type="RandomFixedPattern", columns=0.6)],
    "RandomFixedPattern\n(dead pixels)": [
        dict(type="RandomFixedPattern", columns=0.0, pixels=0.0, dead=0.01)
    ],
    "RandomTemporalNoise": [dict(type="RandomTemporalNoise", sigma=(0.3, 0.3))],
    "RandomBlur": [dict(type="RandomBlur", sigma=(1.5, 1.5))],
    "RandomPolarity": [dict(type="RandomPolarity", prob=1.0)],
    "RandomResolutionDrop\n(to 80 × 60)": [dict(type="RandomResolutionDrop", sizes=[(80, 60)])],
    "RandomResolutionDrop\n(to 40 × 30)": [dict(type="RandomResolutionDrop", sizes=[(40, 30)])],
    "Jitter: RandomResize,\nRandomCrop": [
        dict(type="RandomResize", scale=(160, 128), ratio_range=(1.4, 1.6), keep_ratio=True),
        dict(type="RandomCrop", crop_size=(160, 128), allow_negative_crop=True),
    ],
    "OverlapCopyPaste": [dict(type="OverlapCopyPaste", prob=1.0)],
    "OverlapCopyPaste\n(four copies)": [dict(type="OverlapCopyPaste", prob=1.0, max_copies=4)],
    "OneChannel(Expand)": [
        dict(
            type="OneChannel",
            transform=dict(type="Expand", prob=1.0, mean=(90, 90, 90), ratio_range=(1.4, 1.4)),
        )
    ],
    "GainControl\n(plateau)": [dict(type="GainControl", method="plateau")],
    "GainControl\n(clahe)": [dict(type="GainControl", method="clahe")],
    "GainControl\n(detail)": [dict(type="GainControl", method="detail")],
    "GainControl, three channels\n(stretch, clahe, detail)": [
        dict(type="GainControl", channels=[dict(method=m) for m in ("stretch", "clahe", "detail")])
    ],
}
SEEDS = {
    "OverlapCopyPaste": 3,
    "OverlapCopyPaste\n(four copies)": 2,
    "RandomDrift\n(shading)": 1,
    "RandomDrift\n(gain, offset)": 8,
}


def draw(axes: Axes, title: str, sample: dict[str, Any]) -> None:
    """One panel, in the grey levels of the frame; with boxes where they change."""
    image = np.clip(sample["img"], 0, 255).astype(np.uint8)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()
    if not any(word in title for word in BOXES):
        return
    for box, label, ignored in zip(
        sample["gt_bboxes"].tensor.tolist(),
        sample["gt_bboxes_labels"],
        sample["gt_ignore_flags"],
        strict=True,
    ):
        x0, y0, x1, y1 = box
        style = dict(ec=COLOURS[label], ls=":" if ignored else "-", lw=0.9)
        axes.add_patch(Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, fill=False, **style))


def main() -> None:
    """Read one frame of the data set and draw every augmentation of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/hituav160"))
    parser.add_argument("--frame", default="1_130_40_0_07175.png", help="of its training split")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("augmentations.png"))
    args = parser.parse_args()
    init_default_scope("mmdet")
    dataset = DATASETS.build(
        dict(
            type="ThermalCocoDataset",
            data_root=f"{args.data}/",
            ann_file="annotations/train.json",
            data_prefix=dict(img="train/"),
            pipeline=[dict(type="LoadThermalImage"), dict(type="LoadAnnotations", with_bbox=True)],
        )
    )
    names = [Path(dataset.get_data_info(i)["img_path"]).name for i in range(len(dataset))]
    frame = dataset[names.index(args.frame)]
    figure, panels = plt.subplots(3, 6, figsize=(13, 6.3), layout="constrained")
    for axes, (title, steps) in zip(panels.flat, STEPS.items(), strict=True):
        np.random.seed(SEEDS.get(title, 0))
        sample = copy.deepcopy(frame)
        for step in steps:
            sample = TRANSFORMS.build(step)(sample)
        draw(axes, title, sample)
    figure.savefig(args.out, dpi=100)
    print(args.out)


if __name__ == "__main__":
    main()
