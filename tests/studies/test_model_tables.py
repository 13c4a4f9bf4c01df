"""Runs are matched once, those with shared seeds, and images are grouped."""

from pathlib import Path

import pytest
from helpers_comparison import compare_folders
from helpers_runs import write_comparison_runs

from mmthermal.evaluation import MatchTable, average_precision
from mmthermal.evaluation.coco_columns import load_ground_truth
from mmthermal.evaluation.numbered_ids import number_ids
from mmthermal.studies.model_tables import group_labels, load_models
from mmthermal.studies.run_folder import collect_runs


def test_tables_and_detections_of_every_seed(tmp_path: Path) -> None:
    ann_file, folders = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.7}, seeds=(2, 11))
    models = load_models(
        collect_runs(folders, names=["A", "B"]), number_ids(load_ground_truth(ann_file))
    )
    assert [model.name for model in models] == ["A", "B"]
    for model, group in zip(models, folders, strict=True):
        assert model.work_dirs == dict(zip((2, 11), group, strict=True))
        for seed, folder in model.work_dirs.items():
            expected = MatchTable.from_coco(ann_file, folder / "predictions.bbox.json")
            assert average_precision(model.tables[seed]) == average_precision(expected)
            assert len(model.detections[seed]) > 40


def test_a_comparison_needs_two_configs(tmp_path: Path) -> None:
    ann_file, folders = write_comparison_runs(tmp_path, {"A": 0.5}, seeds=(0,))
    with pytest.raises(ValueError, match="needs at least two"):
        load_models(collect_runs(folders), number_ids(load_ground_truth(ann_file)))


def test_labels_of_groups(tmp_path: Path) -> None:
    ann_file, _ = write_comparison_runs(tmp_path, {}, num_images=17)
    truth = load_ground_truth(ann_file)
    assert group_labels(truth, [1, 8, 9, 17], "block") == ["0", "0", "1", "2"]
    assert group_labels(truth, [1], None) is None


def test_seeds_that_one_config_lacks_are_left_out(tmp_path: Path) -> None:
    _, (a, b) = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.5}, seeds=(0, 1, 2))
    lines: list[str] = []
    found = compare_folders([a, b[1:]], ["A", "B"], say=lines.append)
    assert found["seeds"] == [1, 2]
    assert found["left_out"] == {"A": [0]}
    assert "A: seeds [0] are left out, other configs lack them" in lines
    with pytest.raises(ValueError, match="share no seed"):
        compare_folders([a[:1], b[1:]], ["A", "B"])


def test_groups_of_images_are_resampled_together(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"A": 0.5, "B": 0.7})
    found = compare_folders(folders, ["A", "B"], group_key="block")
    assert found["settings"]["num_groups"] == 5
    with pytest.raises(ValueError, match=r"group_key='flight': 40 image records lack it"):
        compare_folders(folders, ["A", "B"], group_key="flight")
