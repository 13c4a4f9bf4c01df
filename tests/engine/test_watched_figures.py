"""Figures that hooks wait for are those that the metrics give, and better is better."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_data import write_coco
from mmdet.evaluation import CocoMetric, VOCMetric
from mmengine.hooks import CheckpointHook, EarlyStoppingHook

from mmthermal.engine.watched_figures import check_watched, coco_figures
from mmthermal.evaluation import OverlapCocoMetric

CLASSES = ("person", "vehicle", "bicycle")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched") / "set"
    return write_coco(folder, splits={"val": 3}, bits=8) / "annotations/val.json"


def codes(metric: Any, *hooks: Any) -> list[str]:
    return [finding.code for finding in check_watched(hooks, [metric], CLASSES)]


@pytest.mark.parametrize("kind", [CocoMetric, OverlapCocoMetric])
@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(classwise=True),
        dict(metric_items=["mAP", "AR@100"]),
        dict(metric=["bbox", "proposal"], prefix="mine"),
    ],
)
def test_every_figure_of_an_evaluation_is_known(kind: Any, settings: dict, file: Path) -> None:
    """The names that are foretold hold those of a real evaluation."""
    metric = kind(ann_file=str(file), **settings)
    metric.dataset_meta = dict(classes=CLASSES)
    content = json.loads(file.read_text())
    for image in content["images"]:
        boxes = [a["bbox"] for a in content["annotations"] if a["image_id"] == image["id"]]
        corners = np.array(boxes, dtype=float).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        found = dict(
            img_id=image["id"],
            bboxes=corners,
            scores=np.ones(len(corners)),
            labels=np.zeros(len(corners), dtype=int),
        )
        metric.results.append((dict(), found))
    given = metric.evaluate(size=len(content["images"]))
    for name in given:
        assert codes(metric, EarlyStoppingHook(monitor=name, rule="greater")) in (
            [],
            ["best-is-worst"],
        ), name
    foretold = set(coco_figures(metric, CLASSES))
    foretold |= set(metric.figure_names(CLASSES)) if kind is OverlapCocoMetric else set()
    assert foretold == {name.partition("/")[2] for name in given}


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        (CheckpointHook(save_best="coco/bbox_mAP", rule="greater"), []),
        (CheckpointHook(save_best=["coco/bbox_mAP", "coco/best_f1"], rule="greater"), []),
        (CheckpointHook(save_best="auto"), []),
        (CheckpointHook(save_best=None), []),
        (CheckpointHook(save_best="coco/duplicates_per_gt", rule="less"), []),
        (CheckpointHook(save_best="coco/bbox_map", rule="greater"), ["unknown-figure"]),
        (CheckpointHook(save_best="bbox_mAP", rule="greater"), ["unknown-figure"]),
        (CheckpointHook(save_best=["coco/bbox_mAP", "coco/x"], rule="less"),
         ["best-is-worst", "unknown-figure"]),
        (CheckpointHook(save_best="coco/duplicates_per_gt", rule="greater"), ["best-is-worst"]),
        (EarlyStoppingHook(monitor="coco/bbox_mAP"), []),
        (EarlyStoppingHook(monitor="coco/mAP"), ["unknown-figure"]),
        (EarlyStoppingHook(monitor="coco/bbox_mAP", rule="less"), ["best-is-worst"]),
    ],
)  # fmt: skip
def test_names_and_rules(hook: Any, expected: list[str], file: Path) -> None:
    assert codes(OverlapCocoMetric(ann_file=str(file)), hook) == expected


def test_of_the_miss_rate_less_is_better(file: Path) -> None:
    metric = OverlapCocoMetric(ann_file=str(file), miss_rate=True)
    for rule, expected in (("less", []), ("greater", ["best-is-worst"])):
        assert codes(metric, CheckpointHook(save_best="coco/miss_rate", rule=rule)) == expected


def test_metrics_that_are_not_known_are_free(file: Path) -> None:
    class Mine(CocoMetric):
        """May give any figure."""

    hook = CheckpointHook(save_best="coco/mine", rule="less")
    assert codes(Mine(ann_file=str(file)), hook) == codes(VOCMetric(), hook) == []
    assert check_watched([hook], [], CLASSES) == []
