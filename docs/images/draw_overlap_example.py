"""Draw overlap_example.png, the worked picture of docs/evaluation.md, and print its figures.

Example: python docs/images/draw_overlap_example.py ../shared/data/hituav160
"""

import argparse
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image

from mmthermal.evaluation import MatchTable, average_precision, best_f1, load_ground_truth
from mmthermal.evaluation.greedy import MISSED

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the choice of backend

FILE_NAME = "0_70_30_0_01876.png"
WINDOW = (36, 103, 106, 55)  # left, right, bottom, top in pixels
# Made up for the example: x, y, width, height, score.
DETECTIONS = [
    (62, 71, 10, 18, 0.95),
    (47, 68, 12, 19, 0.9),
    (60, 74, 10, 17, 0.8),
    (65, 78, 12, 15, 0.7),
    (40, 88, 9, 14, 0.6),
]
COLOURS = {"hit": "#4ade80", "error": "#fb7185", "ignored": "#93c5fd", "object": "#facc15"}


def draw_box(
    axes: Axes, box: Any, colour: str, text: str, *, dashed: bool = False, below: bool = False
) -> None:
    """Draw a box with a line of text above or below it."""
    x, y, w, h = box
    style = (0, (3, 2)) if dashed else "-"
    axes.add_patch(
        Rectangle((x, y), w, h, fill=False, edgecolor=colour, linewidth=2.2, linestyle=style)
    )
    axes.text(
        x + (0 if not below else w),
        y - 0.7 if not below else y + h + 0.7,
        text,
        color=colour,
        fontsize=9,
        va="bottom" if not below else "top",
        ha="left" if not below else "right",
        bbox={"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 1},
    )


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the HIT-UAV windows")
    args = parser.parse_args()
    coco = load_ground_truth(args.data / "annotations/val.json")
    image = next(image for image in coco.imgs.values() if image["file_name"] == FILE_NAME)
    found = [
        {"image_id": image["id"], "category_id": 1, "bbox": list(box), "score": score}
        for *box, score in DETECTIONS
    ]
    table = MatchTable.from_coco(coco, found, img_ids=[image["id"]], cat_ids=[1])
    picture = Image.open(args.data / "val" / FILE_NAME)

    figure, grid = plt.subplots(2, 2, figsize=(10.4, 8.6), layout="constrained")
    for axes in grid.flat:
        axes.imshow(picture, cmap="gray", interpolation="nearest", vmin=30, vmax=380)
        axes.set_xlim(WINDOW[0], WINDOW[1])
        axes.set_ylim(WINDOW[2], WINDOW[3])
        axes.axis("off")
    first, *others = grid.flat
    first.set_title("ground truth: largest IoU with another, share covered")
    for i, box in enumerate(table.gts["box"]):
        overlap, covered = table.gts["iou"][i], table.gts["covered"][i]
        below = i == 2
        draw_box(
            first,
            box,
            COLOURS["object" if overlap > 0.1 else "ignored"],
            f"{'overlapped' if overlap > 0.1 else 'isolated'} {overlap:.2f}, {covered:.0%}",
            below=below,
        )
    for axes, subset in zip(others, ("all", "overlapped", "isolated"), strict=True):
        ap = average_precision(table, subset, iou_thr=0.5)
        best = best_f1(table, subset)
        print(f"{subset}: {table.num_gts(subset)} objects, AP50 {ap:.3f}, best F1 {best}")
        axes.set_title(f"{subset}: {table.num_gts(subset)} objects, AP50 {ap:.3f}")
        ignore = table.gt_ignore[table.subset_ind(subset)]
        taken = table.taken_gts(subset).tolist()
        for i, box in enumerate(table.gts["box"]):
            if i not in taken and not ignore[i]:
                draw_box(axes, box, COLOURS["object"], "missed", dashed=True)
        for row, gt in enumerate(taken):
            kind = "error" if gt == MISSED else "ignored" if ignore[gt] else "hit"
            score = table.dets["score"][row]
            draw_box(
                axes,
                table.dets["box"][row],
                COLOURS[kind],
                f"{score:.2f} {kind}",
                below=score in (0.8, 0.7),
            )
    figure.supxlabel("Image: HIT-UAV, Suo et al. 2023, CC BY 4.0; detections made up", fontsize=8)
    figure.savefig(Path(__file__).with_name("overlap_example.png"), dpi=100)


if __name__ == "__main__":
    main()
