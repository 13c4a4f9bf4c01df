"""The metric against mmdet's CocoMetric, whose place it takes."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.evaluation.metrics import CocoMetric
from mmdet.registry import METRICS
from pycocotools import mask as coco_mask

from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1
from mmthermal.evaluation.outcomes import duplicates_per_gt, pairs_found
from mmthermal.evaluation.overlap_coco_metric import OverlapCocoMetric
from mmthermal.evaluation.precision import average_precision, average_recall
from mmthermal.evaluation.subsets import Subset

CLASSES = ("person", "bicycle")
OUR_KEYS = {
    "coco/bbox_mAP_overlapped",
    "coco/bbox_mAP_50_overlapped",
    "coco/bbox_mAP_75_overlapped",
    "coco/bbox_AR_overlapped",
    "coco/best_f1_overlapped",
    "coco/best_f1_thr_overlapped",
    "coco/bbox_mAP_isolated",
    "coco/bbox_mAP_50_isolated",
    "coco/bbox_mAP_75_isolated",
    "coco/bbox_AR_isolated",
    "coco/best_f1_isolated",
    "coco/best_f1_thr_isolated",
    "coco/bbox_AR",
    "coco/best_f1",
    "coco/best_f1_thr",
    "coco/best_precision",
    "coco/best_recall",
    "coco/f1_at_0.5",
    "coco/pairs_both",
    "coco/pairs_both_right",
    "coco/duplicates_per_gt",
}


def scenes(
    seed: int = 0, num_images: int = 8, per_image: int = 30
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """COCO annotations, and data samples as mmdet's evaluator passes them."""
    rng = np.random.default_rng(seed)
    images, annotations, samples = [], [], []
    for i in range(1, num_images + 1):
        num = int(rng.integers(2, 9))
        boxes = np.concatenate([rng.uniform(0, 60, (num, 2)), rng.uniform(8, 60, (num, 2))], 1)
        labels = rng.integers(0, 2, num)
        images.append({"id": i, "width": 160, "height": 128, "file_name": f"{i}.png"})
        instances = []
        for box, label in zip(boxes.astype(np.float32).astype(float), labels, strict=True):
            crowd = int(rng.random() < 0.1)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": [4, 9][label],
                    "bbox": box.tolist(),
                    "area": float(box[2] * box[3]),
                    "iscrowd": crowd,
                }
            )
            corners = [box[0], box[1], box[0] + box[2], box[1] + box[3]]
            instances.append({"bbox": corners, "bbox_label": int(label), "ignore_flag": crowd})
        source = rng.integers(0, num, per_image)
        found = boxes[source] + rng.normal(0, 3, (per_image, 4))
        found[:, 2:] = found[:, :2] + np.maximum(found[:, 2:], 1)
        samples.append(
            {
                "img_id": i,
                "ori_shape": (128, 160),
                "instances": instances,
                "pred_instances": {
                    "bboxes": torch.from_numpy(found.astype(np.float32)),
                    "scores": torch.from_numpy(rng.random(per_image).astype(np.float32)),
                    "labels": torch.from_numpy(
                        np.where(rng.random(per_image) < 0.8, labels[source], 1 - labels[source])
                    ),
                },
            }
        )
    categories = [{"id": 4, "name": "person"}, {"id": 9, "name": "bicycle"}]
    return {"images": images, "annotations": annotations, "categories": categories}, samples


@pytest.fixture
def gt_file(tmp_path: Path) -> str:
    path = tmp_path / "gt.json"
    path.write_text(json.dumps(scenes()[0]))
    return str(path)


def evaluate(metric: CocoMetric, samples: list[dict[str, Any]]) -> dict[str, float]:
    metric.dataset_meta = {"classes": CLASSES}
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def assert_holds(figures: dict[str, float], expected: dict[str, float]) -> None:
    for key, value in expected.items():
        np.testing.assert_equal(figures[key], value, err_msg=key)  # NaN equals NaN here


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"classwise": True},
        {"iou_thrs": np.array([0.5, 0.75])},  # a list crashes CocoMetric with numpy 2
        {"iou_thrs": np.array([0.6])},
        {"proposal_nums": (100, 1, 10)},
        {"proposal_nums": (1, 5, 100)},
        {"metric_items": ["mAP_50", "AR@100", "AR@300", "AR@1000", "AR_s@1000", "AR_m@1000"]},
        {"prefix": "val"},
    ],
    ids=str,
)
def test_gives_the_figures_of_coco_metric(gt_file: str, settings: dict) -> None:
    samples = scenes()[1]
    expected = evaluate(CocoMetric(ann_file=gt_file, **settings), samples)
    figures = evaluate(OverlapCocoMetric(ann_file=gt_file, **settings), samples)
    assert expected
    assert_holds(figures, expected)


def test_more_than_a_hundred_detections_an_image(gt_file: str) -> None:
    samples = scenes(per_image=600)[1]
    settings = {"metric_items": ["mAP", "mAP_50", "AR@100", "AR@300", "AR@1000"]}
    expected = evaluate(CocoMetric(ann_file=gt_file, **settings), samples)
    assert expected["coco/bbox_AR@100"] < expected["coco/bbox_AR@300"]
    assert_holds(evaluate(OverlapCocoMetric(ann_file=gt_file, **settings), samples), expected)


def test_map_looks_at_a_hundred_detections_and_map_50_at_a_thousand(gt_file: str) -> None:
    samples = scenes()[1]
    for sample in samples:  # 120 false persons, before the real ones
        right = torch.tensor([instance["bbox"] for instance in sample["instances"]])
        sample["pred_instances"] = {
            "bboxes": torch.cat([torch.tensor([[150.0, 120, 155, 125]]).repeat(120, 1), right]),
            "scores": torch.cat([torch.full((120,), 0.9), torch.full((len(right),), 0.5)]),
            "labels": torch.zeros(120 + len(right), dtype=torch.long),
        }
    expected = evaluate(CocoMetric(ann_file=gt_file), samples)
    assert expected["coco/bbox_mAP"] == 0 < expected["coco/bbox_mAP_50"]
    assert_holds(evaluate(OverlapCocoMetric(ann_file=gt_file), samples), expected)


def test_without_an_annotation_file_the_ground_truth_comes_from_the_samples() -> None:
    samples = scenes()[1]
    expected = evaluate(CocoMetric(), samples)
    figures = evaluate(OverlapCocoMetric(), samples)
    assert_holds(figures, expected)
    assert figures["coco/bbox_mAP_50_overlapped"] > 0


def test_our_keys(gt_file: str) -> None:
    samples = scenes()[1]
    theirs = evaluate(CocoMetric(ann_file=gt_file), samples)
    figures = evaluate(OverlapCocoMetric(ann_file=gt_file), samples)
    assert set(figures) == set(theirs) | OUR_KEYS
    assert all(isinstance(value, float) for value in figures.values())


def test_our_figures_are_those_of_the_match_table(gt_file: str, tmp_path: Path) -> None:
    samples = scenes()[1]
    metric = OverlapCocoMetric(ann_file=gt_file, outfile_prefix=str(tmp_path / "out/run"))
    figures = evaluate(metric, samples)
    table = MatchTable.from_coco(gt_file, tmp_path / "out/run.bbox.json", max_dets=1000)
    assert figures["coco/bbox_mAP_overlapped"] == average_precision(table, "overlapped")
    assert figures["coco/bbox_mAP_50_isolated"] == average_precision(table, "isolated", iou_thr=0.5)
    assert figures["coco/bbox_AR"] == average_recall(table)
    assert figures["coco/best_f1"] == best_f1(table)["f1"]
    threshold = best_f1(table)["threshold"]
    assert figures["coco/best_f1_thr"] == threshold
    assert figures["coco/pairs_both"] == pairs_found(table, threshold)["both"]
    assert figures["coco/duplicates_per_gt"] == duplicates_per_gt(table, threshold)
    written = json.loads((tmp_path / "out/run.overlap.json").read_text())
    assert written["summary"]["overlapped_AP"] == figures["coco/bbox_mAP_overlapped"]
    assert [p.name for p in sorted((tmp_path / "out").iterdir())] == [
        "run.bbox.json",
        "run.overlap.json",
    ]


def test_predictions_are_written_as_coco_metric_writes_them(gt_file: str, tmp_path: Path) -> None:
    samples = scenes()[1]
    evaluate(CocoMetric(ann_file=gt_file, outfile_prefix=str(tmp_path / "a")), samples)
    evaluate(OverlapCocoMetric(ann_file=gt_file, outfile_prefix=str(tmp_path / "b")), samples)
    assert (tmp_path / "a.bbox.json").read_bytes() == (tmp_path / "b.bbox.json").read_bytes()


def test_format_only_writes_and_evaluates_nothing(gt_file: str, tmp_path: Path) -> None:
    prefix = str(tmp_path / "only")
    metric = OverlapCocoMetric(ann_file=gt_file, format_only=True, outfile_prefix=prefix)
    assert evaluate(metric, scenes()[1]) == {}
    assert (tmp_path / "only.bbox.json").exists()
    assert not (tmp_path / "only.overlap.json").exists()


def with_masks() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The scenes, with each box as a mask, too."""
    dataset, samples = scenes()
    for ann in dataset["annotations"]:
        x, y, w, h = ann["bbox"]
        ann["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    for sample in samples:
        pred = sample["pred_instances"]
        corners = pred["bboxes"].double().numpy()
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
        pred["masks"] = coco_mask.frPyObjects(np.ascontiguousarray(boxes), 128, 160)
    return dataset, samples


def test_proposals_and_masks_stay_coco_metrics(tmp_path: Path) -> None:
    dataset, samples = with_masks()
    path = tmp_path / "gt.json"
    path.write_text(json.dumps(dataset))
    settings = {"ann_file": str(path), "metric": ["bbox", "segm", "proposal"]}
    expected = evaluate(CocoMetric(**settings), samples)
    metric = OverlapCocoMetric(**settings)
    figures = evaluate(metric, samples)
    assert {"coco/segm_mAP", "coco/AR@100", "coco/bbox_mAP"} <= set(expected)
    assert_holds(figures, expected)
    assert metric.metrics == settings["metric"]


@pytest.mark.parametrize("metric", ["bbox", ["bbox", "segm", "proposal"]], ids=str)
def test_objects_with_ignore_are_as_crowd_regions(tmp_path: Path, metric: Any) -> None:
    """Also in a second epoch: pycocotools overwrites ``ignore`` in the annotations it is given."""
    dataset, samples = with_masks()
    every_third = dataset["annotations"][::3]
    files = {}
    for name, field in (("counted", None), ("ignore", "ignore"), ("crowd", "iscrowd")):
        for ann in every_third:
            ann.update({"ignore": 0, "iscrowd": 0} | ({field: 1} if field else {}))
        files[name] = str(tmp_path / f"{name}.json")
        Path(files[name]).write_text(json.dumps(dataset))
    ours = {name: OverlapCocoMetric(ann_file=file, metric=metric) for name, file in files.items()}
    found = {name: evaluate(each, samples) for name, each in ours.items()}
    assert found["ignore"] == found["crowd"]
    assert found["ignore"]["coco/bbox_AR"] != found["counted"]["coco/bbox_AR"]
    assert evaluate(ours["ignore"], samples) == found["ignore"]
    assert_holds(found["ignore"], evaluate(CocoMetric(files["crowd"], metric=metric), samples))


def test_subsets_and_keys_of_ones_own(gt_file: str) -> None:
    metric = METRICS.build(
        {
            "type": "OverlapCocoMetric",
            "ann_file": gt_file,
            "subsets": [{"name": "hidden", "key": "covered", "above": 0.5}, Subset("all")],
            "key_subsets": ["hidden"],
            "miss_rate": True,
            "classwise": True,
        }
    )
    figures = evaluate(metric, scenes()[1])
    assert figures["coco/bbox_mAP_50_hidden"] > 0
    assert 0 < figures["coco/miss_rate"] <= 1 and 0 < figures["coco/miss_rate_hidden"] <= 1
    assert 0 <= figures["coco/person_precision_hidden"] <= 1
    assert not any("overlapped" in key for key in figures)


def test_nothing_detected(gt_file: str) -> None:
    samples = scenes()[1]
    for sample in samples:
        sample["pred_instances"] = {
            key: value[:0] for key, value in sample["pred_instances"].items()
        }
    figures = evaluate(OverlapCocoMetric(ann_file=gt_file, error_types=True), samples)
    assert figures["coco/bbox_mAP"] == 0 and figures["coco/bbox_mAP_50_overlapped"] == 0
    assert figures["coco/best_f1"] == 0


def test_the_file_may_begin_with_a_byte_order_mark(gt_file: str, tmp_path: Path) -> None:
    marked = tmp_path / "gt.json"
    marked.write_bytes(b"\xef\xbb\xbf" + Path(gt_file).read_bytes())
    usual = evaluate(OverlapCocoMetric(gt_file), scenes()[1])
    assert evaluate(OverlapCocoMetric(str(marked)), scenes()[1]) == usual
    assert evaluate(OverlapCocoMetric(ann_file=str(marked)), scenes()[1]) == usual


def test_evaluating_twice_replaces_the_table(gt_file: str, tmp_path: Path) -> None:
    target = tmp_path / "tables/table.json"
    metric = OverlapCocoMetric(ann_file=gt_file, table_file=str(target))
    first = evaluate(metric, scenes()[1])
    again = evaluate(metric, scenes(seed=0, per_image=10)[1])
    assert first != again
    written = json.loads(target.read_text())["summary"]
    assert written["overlapped_AP"] == again["coco/bbox_mAP_overlapped"]
    assert [path.name for path in target.parent.iterdir()] == ["table.json"]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"metric": "segm"}, ValueError, "add 'bbox'"),
        ({"metric": "box"}, KeyError, "bbox"),
        ({"score_thr": 1.5}, ValueError, "score_thr=1.5"),
        ({"metric_items": ["mAP_90"]}, KeyError, "mAP_90"),
        ({"key_subsets": ["hidden"]}, ValueError, "choose from"),
        ({"subsets": [{"name": "x", "kind": "iou"}]}, ValueError, "is not a Subset"),
        ({"subsets": [{"name": "x", "key": "giou", "above": 0}]}, ValueError, "giou"),
        ({"subsets": [{"name": "small", "key": "iou", "above": 0}]}, ValueError, "twice: small"),
        ({"subset": []}, TypeError, "subset"),
    ],
)
def test_bad_settings(gt_file: str, settings: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        OverlapCocoMetric(ann_file=gt_file, **settings)


def test_labels_that_the_file_has_no_class_for(gt_file: str) -> None:
    metric = OverlapCocoMetric(ann_file=gt_file)
    metric.dataset_meta = {"classes": ("person", "bike")}
    metric.process({}, scenes()[1])
    with pytest.raises(ValueError, match="class names in metainfo"):
        metric.evaluate(8)


@pytest.mark.parametrize("thrs", [0.5, [0.5], (0.5, 0.75)])
def test_thresholds_may_be_a_number_or_a_list(gt_file: str, thrs: Any) -> None:
    figures = evaluate(OverlapCocoMetric(ann_file=gt_file, iou_thrs=thrs), scenes()[1])
    usual = evaluate(OverlapCocoMetric(ann_file=gt_file), scenes()[1])
    assert figures["coco/bbox_mAP_50_overlapped"] == usual["coco/bbox_mAP_50_overlapped"]


@pytest.mark.slow
def test_is_faster_than_coco_metric(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path(__file__).parents[2] / "benchmarks/evaluation_speed.py"
    monkeypatch.setattr("sys.argv", [str(script), "--images", "100", "--classes", "5"])
    runpy.run_path(str(script), run_name="__main__")
    printed = capsys.readouterr().out
    assert float(printed.split("ratio: ")[1].split()[0]) < 0.7  # 0.1 to 0.2 when it was written
    assert "CocoMetric's figures are the same" in printed


def test_figures_on_pairs_and_duplicates_are_at_the_score_that_was_set(
    gt_file: str, tmp_path: Path
) -> None:
    prefix = str(tmp_path / "run")
    metric = OverlapCocoMetric(ann_file=gt_file, score_thr=0.2, outfile_prefix=prefix)
    figures = evaluate(metric, scenes()[1])
    table = MatchTable.from_coco(gt_file, f"{prefix}.bbox.json", max_dets=1000)
    found, other = pairs_found(table, 0.2)["both"], pairs_found(table, best_f1(table)["threshold"])
    assert figures["coco/pairs_both"] == found != other["both"]
    assert figures["coco/duplicates_per_gt"] == duplicates_per_gt(table, 0.2)
