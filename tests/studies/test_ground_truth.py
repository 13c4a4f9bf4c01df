"""What runs are tested on, and how their detections are matched with it."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers_comparison import compare_folders
from helpers_queue import carry_out, config_text, plan, write_place
from helpers_runs import CLASSES, write_comparison_runs
from mmengine.config import Config

from mmthermal.evaluation import average_precision, average_recall
from mmthermal.evaluation.overlap_coco_metric import OverlapCocoMetric
from mmthermal.studies.ground_truth import TestSet, match_run, shared_test_set, test_set
from mmthermal.studies.run_folder import collect_runs


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write_place(tmp_path)


def change(folder: Path, name: str, **fields: object) -> None:
    """Set fields of a record of a run."""
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_test_set_of_finished_runs(place: Path) -> None:
    carry_out(place, plan(place))
    groups = collect_runs([[place / "work" / "focal"], [place / "work" / "composite"]])
    assert shared_test_set(groups).img_dir == Path("data/val")


def test_runs_must_share_their_test_set(place: Path) -> None:
    (place / "other.json").write_text("{ }")
    text = config_text(place, 0.2).replace("ann.json", "other.json")
    (place / "composite.py").write_text(text)
    with pytest.raises(ValueError, match="different annotations"):
        shared_test_set(plan(place))
    (place / "other.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"other\.json' does not exist"):
        shared_test_set(plan(place))


def test_test_set_from_the_data_set_where_the_evaluator_says_nothing() -> None:
    dataset = {"data_root": "root", "ann_file": "a.json", "data_prefix": {"img": "val"}}
    found = test_set(Config({"test_dataloader": {"dataset": dataset}}))
    assert found == TestSet(Path("root/a.json"), Path("root/val"))
    with pytest.raises(ValueError, match="set one to the COCO annotations"):
        test_set(Config({}))


def test_classes_of_metainfo(tmp_path: Path) -> None:
    dataset = {"ann_file": "a.json", "metainfo": {"classes": ["person", "dog"]}}
    cfg = Config({"test_dataloader": {"dataset": dataset}})
    assert test_set(cfg).classes == ("person", "dog")
    (tmp_path / "names.txt").write_text("person\ndog\n")
    dataset["metainfo"]["classes"] = str(tmp_path / "names.txt")
    assert test_set(Config({"test_dataloader": {"dataset": dataset}})).classes == ("person", "dog")


def test_the_classes_of_a_run_are_recorded(place: Path) -> None:
    text = config_text(place, 0.1).replace(
        "data_root=", "metainfo=dict(classes=('a',)), data_root="
    )
    for name in ("focal", "composite"):
        (place / f"{name}.py").write_text(text)
    carry_out(place, plan(place, seeds=(0,)))
    assert shared_test_set(collect_runs([[place / "work" / "focal"]])).classes == ("a",)


def test_classes_that_are_left_out_are_not_evaluated(tmp_path: Path) -> None:
    """A model of one class of two: its AP is that of the class, not half of it."""
    _, folders = write_comparison_runs(tmp_path, {"A": 0.8, "B": 0.9}, seeds=(0,))
    runs = [run for group in collect_runs(folders, names=["A", "B"]) for run in group.runs]
    both = [average_precision(match_run(run), iou_thr=0.5, cat_id=1) for run in runs]
    for run in runs:
        found = json.loads(run.predictions.read_text())
        run.predictions.write_text(json.dumps([d for d in found if d["category_id"] == 1]))
        change(run.folder, "done.json", classes=CLASSES[:1])
    assert [average_precision(match_run(run), iou_thr=0.5) for run in runs] == both
    found = compare_folders(folders, ["A", "B"])
    assert found["data"]["class_names"] == [CLASSES[0]]
    assert [model["per_seed"]["AP50"][0] for model in found["models"].values()] == both
    shown = [image["classes"] for image in found["gallery"]]
    assert shown and all(classes == [CLASSES[0]] for classes in shown)
    change(runs[1].folder, "done.json", classes=CLASSES[::-1])
    with pytest.raises(ValueError, match="different classes.*A seed 0: person; B seed 0: person, "):
        compare_folders(folders, ["A", "B"])


def test_objects_with_ignore_are_ignored_as_in_the_metric(tmp_path: Path) -> None:
    ann_file, [[folder]] = write_comparison_runs(tmp_path, {"A": 0.8}, seeds=(0,))
    (run,) = collect_runs([[folder]], names=["A"])[0].runs
    before = average_recall(match_run(run))
    content = json.loads(ann_file.read_text())
    for ann in content["annotations"][::2]:
        ann["ignore"] = 1
    ann_file.write_text(json.dumps(content))
    metric = OverlapCocoMetric(str(ann_file))
    metric.dataset_meta = {"classes": CLASSES}
    detections = json.loads(run.predictions.read_text())
    for image in content["images"]:
        own = [d for d in detections if d["image_id"] == image["id"]]
        boxes = np.array([d["bbox"] for d in own]).reshape(-1, 4)
        found = {
            "img_id": image["id"],
            "bboxes": np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1),
            "scores": np.array([d["score"] for d in own]),
            "labels": np.array([d["category_id"] - 1 for d in own], dtype=int),
        }
        metric.results.append(({}, found))
    figures = metric.compute_metrics(metric.results)
    table = match_run(run)
    assert table.num_gts() == len(content["annotations"][1::2])
    assert figures["bbox_AR"] == average_recall(table) != before
    for subset in ("overlapped", "isolated"):
        assert figures[f"bbox_mAP_{subset}"] == average_precision(table, subset)


def test_all_classes_by_name_are_all_classes(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.5}, seeds=(0,))
    change(folders[0][0], "done.json", classes=CLASSES[::-1])
    assert shared_test_set(collect_runs(folders, names=["A", "B"])).classes == CLASSES[::-1]


def test_predictions_that_do_not_fit_are_named(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.5}, seeds=(0,))
    (run,) = collect_runs(folders, names=["A", "B"])[1].runs
    (first, *rest) = json.loads(run.predictions.read_text())
    run.predictions.write_text(json.dumps([{**first, "image_id": 12345}, *rest]))
    for judge in (lambda: match_run(run), lambda: compare_folders(folders, ["A", "B"])):
        with pytest.raises(ValueError, match=r"B seed 0, .*predictions\.bbox\.json: .*12345"):
            judge()


def test_more_than_a_hundred_detections_count_as_in_the_metric(tmp_path: Path) -> None:
    _, [[folder]] = write_comparison_runs(tmp_path, {"A": 1.0}, seeds=(0,))
    (run,) = collect_runs([[folder]], names=["A"])[0].runs
    (first, *_) = json.loads(run.predictions.read_text())
    run.predictions.write_text(json.dumps([first] * 150))
    assert len(match_run(run).dets["score"]) == 150
