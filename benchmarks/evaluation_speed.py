"""Time OverlapCocoMetric against mmdet's CocoMetric on the same random detections.

Times are seconds of the processor, all threads together, which other work on the machine
disturbs little.

Example: python benchmarks/evaluation_speed.py --images 5000 --detections 100
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mmthermal  # noqa: F401 (first: mmdet finds mmcv's operators by it)

# isort: split
import numpy as np
import torch
from mmdet.evaluation.metrics import CocoMetric

from mmthermal.evaluation import (
    DEFAULT_SUBSETS,
    MatchTable,
    OverlapCocoMetric,
    average_precision,
)


def make_scenes(
    num_images: int, num_detections: int, num_classes: int, *, seed: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Random ground truth of about 12 objects an image, half of the detections near an object.

    Args:
        num_images: images.
        num_detections: detections of each image.
        num_classes: classes.
        seed: of the random numbers.

    Returns:
        A COCO annotation dict, and mmdet's data samples as dicts.
    """
    rng = np.random.default_rng(seed)
    images, annotations, samples = [], [], []
    for i in range(1, num_images + 1):
        num = int(rng.integers(1, 24))
        sizes = rng.uniform(6, 40, (num, 2))
        corners = rng.uniform(0, 1, (num, 2)) * [112, 90]
        labels = rng.integers(0, num_classes, num)
        images.append({"id": i, "width": 160, "height": 128, "file_name": f"{i}.png"})
        for corner, size, label in zip(corners, sizes, labels, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": int(label) + 1,
                    "bbox": [*corner.tolist(), *size.tolist()],
                    "area": float(size.prod()),
                    "iscrowd": int(rng.random() < 0.03),
                }
            )
        near = rng.random(num_detections) < 0.5
        source = rng.integers(0, num, num_detections)
        far = np.concatenate(
            [rng.uniform(0, 90, (num_detections, 2)), rng.uniform(6, 40, (num_detections, 2))], 1
        )
        boxes = np.concatenate([corners, sizes], 1)[source]
        boxes += np.tile(sizes[source], 2) * rng.normal(0, 0.12, (num_detections, 4))
        boxes = np.where(near[:, None], boxes, far)
        boxes[:, 2:] = boxes[:, :2] + np.maximum(boxes[:, 2:], 1)
        scores = np.where(near, rng.beta(3, 2, num_detections), rng.beta(1, 5, num_detections))
        random_labels = rng.integers(0, num_classes, num_detections)
        keeps = near & (rng.random(num_detections) < 0.85)
        samples.append(
            {
                "img_id": i,
                "ori_shape": (128, 160),
                "pred_instances": {
                    "bboxes": torch.from_numpy(boxes.astype(np.float32)),
                    "scores": torch.from_numpy(scores.astype(np.float32)),
                    "labels": torch.from_numpy(np.where(keeps, labels[source], random_labels)),
                },
            }
        )
    categories = [{"id": k + 1, "name": f"class {k}"} for k in range(num_classes)]
    return {"images": images, "annotations": annotations, "categories": categories}, samples


def time_metric(
    build: Callable[[], CocoMetric], samples: list[dict[str, Any]], classes: list[str]
) -> tuple[float, dict[str, float]]:
    """Process and evaluate all samples.

    Returns:
        Processor seconds without reading the annotation file, and the figures.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        metric = build()
        metric.dataset_meta = {"classes": classes}
        start = time.process_time()
        metric.process({}, samples)
        figures = metric.evaluate(len(samples))
    return time.process_time() - start, figures


def to_results(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Detections in COCO's results format."""
    return [
        {
            "image_id": sample["img_id"],
            "category_id": label + 1,
            "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
            "score": score,
        }
        for sample in samples
        for box, score, label in zip(
            *(sample["pred_instances"][key].tolist() for key in ("bboxes", "scores", "labels")),
            strict=True,
        )
    ]


def time_libraries(annotation_file: str, results: list[dict[str, Any]]) -> None:
    """Time AP of all objects, one area range, by pycocotools and its fast relatives; print it."""
    usual: Any = None
    for library in ("pycocotools", "faster_coco_eval", "ultrafast_pycocotools", "hotcoco"):
        try:
            coco_class, evaluator_class = find_library(library)
        except ImportError:
            print(f"{library}: not installed")
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            start = time.process_time()
            coco = coco_class(annotation_file)
            evaluator = evaluator_class(coco, coco.loadRes(results), "bbox")
            evaluator.params.areaRng, evaluator.params.areaRngLbl = [[0, 1e10]], ["all"]
            evaluator.params.maxDets = [100]
            evaluator.evaluate()
            evaluator.accumulate()
            seconds = time.process_time() - start
        precision = np.asarray(evaluator.eval["precision"]).reshape(10, 101, -1)
        usual = precision if usual is None else usual
        print(
            f"{library}, all objects alone: {seconds:.1f} s, precision differs by "
            f"{np.abs(precision - usual).max():.1e}"
        )


def find_library(name: str) -> tuple[Any, Any]:
    """Import a library's COCO and COCOeval."""
    if name == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    elif name == "faster_coco_eval":
        from faster_coco_eval import COCO
        from faster_coco_eval import COCOeval_faster as COCOeval
    elif name == "ultrafast_pycocotools":
        from ultrafast_pycocotools import COCO, COCOeval
    else:
        from hotcoco import COCO, COCOeval
    return COCO, COCOeval


def time_hotcoco_subsets(
    annotation_file: str, results: list[dict[str, Any]], table: MatchTable
) -> None:
    """Time AP of every subset by hotcoco, one run each; print it and how far it is from ours.

    hotcoco takes no flag for ignored ground truths, but areas: those of the subset and all
    detections get area 1, the others 0, and the area range is around 1.
    """
    import hotcoco

    start = time.process_time()
    coco = hotcoco.COCO(annotation_file)
    found = coco.load_res(results)
    ids = np.arange(1, len(results) + 1)
    found.update_anns(ids=ids, area=np.ones(len(ids)))
    values = []
    for s in range(len(DEFAULT_SUBSETS)):
        coco.update_anns(ids=table.gts["id"], area=(~table.gt_ignore[s]).astype(float))
        evaluator = hotcoco.COCOeval(coco, found, "bbox")
        evaluator.params.area_rng, evaluator.params.area_rng_lbl = [[0.5, 1.5]], ["all"]
        evaluator.evaluate()
        evaluator.accumulate()
        precision = np.asarray(evaluator.eval["precision"])[:, :, :, 0, -1]
        values.append(precision[precision > -1].mean() if (precision > -1).any() else -1.0)
    seconds = time.process_time() - start
    ours = [average_precision(table, subset.name) for subset in DEFAULT_SUBSETS]
    difference = np.abs(np.subtract(values, ours)).max()
    print(f"hotcoco, {len(ours)} subsets: {seconds:.1f} s, AP differs by {difference:.1e}")


def main() -> None:
    """Print the times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--detections", type=int, default=100, help="detections of each image")
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--libraries",
        action="store_true",
        help="also time pycocotools, faster-coco-eval, ultrafast-pycocotools and hotcoco",
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    annotations, samples = make_scenes(args.images, args.detections, args.classes, seed=args.seed)
    classes = [category["name"] for category in annotations["categories"]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gt.json"
        path.write_text(json.dumps(annotations), encoding="utf-8")
        ours, our_figures = time_metric(
            lambda: OverlapCocoMetric(ann_file=str(path)), samples, classes
        )
        theirs, their_figures = time_metric(
            lambda: CocoMetric(ann_file=str(path)), samples, classes
        )
        print(f"OverlapCocoMetric, {len(DEFAULT_SUBSETS)} subsets: {ours:.1f} s")
        print(f"CocoMetric: {theirs:.1f} s")
        print(f"ratio: {ours / theirs:.2f} (1 or less is the aim)")
        same = all(our_figures[key] == value for key, value in their_figures.items())
        print(f"CocoMetric's figures are {'the same' if same else 'NOT the same'}")
        if args.libraries:
            results = to_results(samples)
            start = time.process_time()
            table = MatchTable.from_coco(path, results)
            values = [average_precision(table, subset.name) for subset in DEFAULT_SUBSETS]
            seconds = time.process_time() - start
            print(f"MatchTable, {len(values)} subsets: {seconds:.1f} s")
            time_hotcoco_subsets(str(path), results, table)
            time_libraries(str(path), results)


if __name__ == "__main__":
    main()
