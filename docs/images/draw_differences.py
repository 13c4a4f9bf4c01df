"""Draw differences.jpg of docs/lab_notebook.md: images on which two models differ most.

Reads comparison.json, as tools/compare.py writes it, and shows each model's detections at its own
best-F1 score.

Example: python docs/images/draw_differences.py COMPARISON.json ../shared/data/hituav160/val
"""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # after the choice of backend

COLOURS = {"person": "#38bdf8", "vehicle": "#facc15", "bicycle": "#a3e635"}
RED = "#ef4444"


def box(axes: Axes, bbox: list[float], colour: str, style: str = "-", text: str = "") -> None:
    """One box, with a letter for its class."""
    x, y, w, h = bbox
    axes.add_patch(Rectangle((x, y), w, h, fill=False, ec=colour, lw=1.1, ls=style))
    axes.text(x, y - 1, text, color=colour, fontsize=6, va="bottom")


def draw(record: dict[str, Any], row: list[Axes], folder: Path, names: list[str]) -> None:
    """Labels, then what each model makes of the image."""
    image = cv2.imread(str(folder / Path(record["file_name"]).name), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(f"{folder} has no {record['file_name']}")
    for axes in row:
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
    for gt in record["gts"]:
        if not gt["crowd"]:
            box(row[0], gt["bbox"], COLOURS[gt["class"]], text=gt["class"][0])
    for axes, name in zip(row[1:], names, strict=True):
        panel = record["panels"][name]
        for gt, found in zip(record["gts"], panel["found"], strict=True):
            if not found:
                box(axes, gt["bbox"], COLOURS[gt["class"]], ":")
        for det in panel["detections"]:
            if det["state"] != "ignored":
                hit = det["state"] == "hit"
                colour = COLOURS[det["class"]] if hit else RED
                box(axes, det["bbox"], colour, text=f"{det['class'][0]} {det['score']:.2f}")


def main() -> None:
    """Choose overlapping scenes, half of them won and half lost, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comparison", type=Path)
    parser.add_argument("images", type=Path, help="folder of the validation images")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("differences.jpg"))
    args = parser.parse_args()
    gallery = json.loads(args.comparison.read_text(encoding="utf-8"))["gallery"]
    crowded = [record for record in gallery if record["largest_iou"] > 0.1]
    won = [record for record in crowded if record["gain"] > 0][:3]
    lost = [record for record in crowded if record["gain"] < 0][:2]
    names = list(crowded[0]["panels"])
    figure, axes = plt.subplots(
        len(won + lost), 1 + len(names), figsize=(10.5, 2.9 * len(won + lost)), layout="constrained"
    )
    for record, row in zip(won + lost, axes, strict=True):
        draw(record, list(row), args.images, names)
        row[0].set_title(f"{Path(record['file_name']).stem}, seed {record['seed']}", fontsize=8)
        for panel, name in zip(row[1:], names, strict=True):
            panel.set_title(f"{name}: {record['panels'][name]['errors']} errors", fontsize=9)
    figure.savefig(args.out, dpi=100, pil_kwargs={"quality": 85})
    print(args.out)


if __name__ == "__main__":
    main()
