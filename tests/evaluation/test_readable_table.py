"""The table in the log."""

from helpers_tables import SUBSETS, random_scene, scene, to_coco

from mmthermal.evaluation.figures import to_dict
from mmthermal.evaluation.match_table import MatchTable
from mmthermal.evaluation.readable_table import readable_table


def test_the_log_s_table_names_subsets_and_their_numbers() -> None:
    dataset, detections = random_scene(1)
    table = MatchTable.from_coco(to_coco(dataset), detections, subsets=SUBSETS)
    text = readable_table(to_dict(table, miss_rate=True))
    objects = sum(not ann["iscrowd"] for ann in dataset["annotations"])
    assert any(line.startswith(f"| all              | {objects} ") for line in text.splitlines())
    assert "| MR-2" in text and "overlapping pairs" in text
    empty = next(line for line in text.splitlines() if line.startswith("| large"))
    assert empty.split("|")[2].strip() == "0" and empty.split("|")[3].strip() == "-"


def test_without_pairs_and_without_the_usual_threshold() -> None:
    lone = [0.0, 0, 10, 10]
    table = scene([(1, 1, lone)], [(1, 1, lone, 0.75)])
    text = readable_table(to_dict(table))
    assert "MR-2" not in text
    assert text.endswith(
        "At score 0.750 and IoU 0.5: no overlapping pairs; 0.000 duplicates per object."
    )
    strict = MatchTable.from_coco(*_as_coco(lone), iou_thrs=[0.75])
    assert "At score" not in readable_table(to_dict(strict))


def _as_coco(box: list[float]) -> tuple:
    dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": box, "iscrowd": 0}],
    }
    return to_coco(dataset), [{"image_id": 1, "category_id": 1, "bbox": box, "score": 0.75}]
