"""One list of figures: their names agree with the summary, the metric and the functions."""

import json

import pytest
from helpers_tables import SUBSETS, random_scene, to_coco

from mmthermal.evaluation.figures import (
    FIGURES,
    OF_EACH_SUBSET,
    logged_figures,
    select_figures,
    summary,
    to_dict,
)
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.operating_point import best_f1
from mmthermal.evaluation.outcomes import confusion, pairs_found
from mmthermal.evaluation.precision import average_precision, log_average_miss_rate


def test_the_full_table_is_json_and_agrees_with_the_methods() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS)
    full = to_dict(table, miss_rate=True, with_error_types=True)
    full = json.loads(json.dumps(full, allow_nan=False))
    values = full["summary"]
    assert values["AP"] == average_precision(table)
    assert values["overlapped_AP50"] == average_precision(table, "overlapped", iou_thr=0.5)
    assert values["isolated_AP75"] == average_precision(table, "isolated", iou_thr=0.75)
    assert values["best_f1_thr"] == values["score_thr"] == full["score_thr"]
    assert values["pairs_both"] == pairs_found(table, full["score_thr"])["both"]
    rows = {row["name"]: row for row in full["subsets"]}
    assert [*rows] == [subset.name for subset in SUBSETS]
    assert rows["overlapped"]["num_gt"] == values["num_gt_overlapped"] > 0
    assert rows["overlapped"]["miss_rate"] == log_average_miss_rate(table, "overlapped")
    per_class = rows["overlapped"]["per_class"]["class 7"]
    assert per_class["AP50"] == average_precision(table, "overlapped", iou_thr=0.5, cat_id=7)
    assert full["confusion"]["overlapped"] == confusion(table, score_thr=full["score_thr"]).tolist()
    assert full["error_types"]["ap"] == pytest.approx(values["AP50"])
    assert summary(table, score_thr=0.4)["score_thr"] == 0.4


def test_other_thresholds_leave_out_what_they_lack() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections, iou_thrs=[0.75])
    summary = to_dict(table)["summary"]
    assert summary["AP"] == summary["AP75"] and "AP50" not in summary
    with pytest.raises(ValueError, match=r"iou_thr=0.5: this table has \[0.75\]"):
        best_f1(table)


def test_every_figure_of_the_summary_is_in_the_list() -> None:
    dataset, detections = random_scene(1)
    keys = set(summary(MatchTable.from_coco(to_coco(dataset), detections)))
    counts = {key for key in keys if key.startswith("num_")} | {"score_thr"}
    assert {figure.key for figure in FIGURES} == keys - counts
    assert len({figure.key for figure in FIGURES}) == len(FIGURES)
    assert len({figure.label for figure in FIGURES}) == len(FIGURES)
    assert len({figure.short for figure in FIGURES}) == len(FIGURES)


def test_a_figure_is_what_its_subset_and_threshold_say() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections)
    values = summary(table)
    for figure in FIGURES:
        if figure.key.endswith(("AP", "AP50", "AP75")):
            ap = average_precision(table, figure.subset, iou_thr=figure.iou_thr)
            assert values[figure.key] == ap


def test_the_three_names_of_a_figure() -> None:
    (figure,) = select_figures("overlapped_AP50")
    assert figure.mmdet_key == "bbox_mAP_50_overlapped"
    assert figure.label == "AP50, overlapped objects"
    assert figure.short == "AP50 overlapped"
    ap = OF_EACH_SUBSET[0]
    hidden = ap.of_subset("hidden")
    assert (hidden.key, hidden.mmdet_key, hidden.label) == (
        "hidden_AP",
        "bbox_mAP_hidden",
        "AP, hidden",
    )
    assert ap.of_subset("all") is ap


def test_selecting_keeps_the_order_and_names_a_stranger() -> None:
    assert [figure.key for figure in select_figures("AR", "AP")] == ["AR", "AP"]
    with pytest.raises(ValueError, match="no figure 'mAP': choose from AP, AP50"):
        select_figures("AP", "mAP")


def test_logged_figures_have_the_names_of_the_list() -> None:
    dataset, detections = random_scene(1)
    full = to_dict(MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS))
    logged = logged_figures(full, ["overlapped@0.3", "small"])
    for name in ("overlapped@0.3", "small"):
        for figure in OF_EACH_SUBSET:
            part = figure.of_subset(name)
            assert logged.pop(part.mmdet_key) == full["summary"][part.key]
    by_key = {figure.mmdet_key: figure.key for figure in FIGURES if figure.subset == "all"}
    assert set(by_key) - set(logged) == {"bbox_mAP", "bbox_mAP_50", "bbox_mAP_75"}
    for key, value in logged.items():
        assert value == full["summary"][by_key[key]]
