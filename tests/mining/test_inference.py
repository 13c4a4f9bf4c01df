"""Mining a whole data set equals a brute-force reference, on one process or several."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers_data import CONFIGS, config_names
from mmdet.apis import inference_detector, init_detector
from mmengine.config import Config

from mmthermal.mining import inference
from mmthermal.mining.command import load_model
from mmthermal.mining.finding import MiningSettings
from mmthermal.mining.inference import (
    batches_left,
    false_regions,
    find_in_all,
    undisturbed,
    warn_of_score_thr,
)
from mmthermal.mining.rounds import hardest_regions
from mmthermal.mining.training_set import training_set

SETTINGS = MiningSettings(score_thr=0.4, iou_thr=0.2, ratio=0.7)


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    inter = w * h if w > 0 and h > 0 else 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if inter else 0.0


def brute_force(cfg, checkpoint):
    """Image by image through mmdet's own inference, loops over everything else."""
    model = init_detector(Config(cfg.to_dict()), str(checkpoint), device="cpu")
    root = cfg.train_dataloader.dataset.data_root
    coco = json.loads(Path(f"{root}annotations/train.json").read_text())
    found = []
    for image in coco["images"]:
        gts = [
            [x, y, x + w, y + h]
            for x, y, w, h in (
                a["bbox"] for a in coco["annotations"] if a["image_id"] == image["id"]
            )
        ]
        pred = inference_detector(model, f"{root}train/{image['file_name']}").pred_instances
        dets = sorted(
            zip(pred.scores.tolist(), pred.bboxes.tolist(), pred.labels.tolist(), strict=True),
            key=lambda det: -det[0],
        )
        kept = []
        for score, box, label in dets:
            if score < 0.4 or max([iou(box, gt) for gt in gts], default=0) >= 0.2:
                continue
            if all(iou(box, other) <= 0.5 for _, other, _, _ in kept):
                kept.append((score, box, label, image["id"]))
        found += kept
    found.sort(key=lambda det: -(det[0] ** 2) * -np.log(1 - det[0]))
    return found[: int(0.7 * len(coco["annotations"]))]


def test_equals_brute_force(small):
    cfg, checkpoint = small
    images = training_set(cfg)
    model = load_model(cfg, checkpoint)
    rows = find_in_all(model, images, SETTINGS, batch_size=3)
    regions = hardest_regions(rows, images, SETTINGS, round_number=4)
    expected = brute_force(cfg, checkpoint)
    assert 5 < len(expected) == len(regions)
    assert len({image for *_, image in expected}) > 1
    # scores that agree to six digits may change places
    for region, (score, *_) in zip(regions, expected, strict=True):
        assert region.score == pytest.approx(score, abs=2e-6)
        assert region.loss == pytest.approx(-0.75 * score**2 * np.log(1 - score), rel=1e-4)
        assert (region.round, region.first_round, region.weight) == (4, 4, 1.0)
    as_set = {
        (r.image_id, r.category_id - 1, *(round(float(v), 1) for v in r.bbox)) for r in regions
    }
    wanted = {
        (image, label, *(round(v, 1) for v in (b[0], b[1], b[2] - b[0], b[3] - b[1])))
        for _, b, label, image in expected
    }
    assert len(as_set & wanted) >= len(wanted) - 2  # a digit may round the other way


def test_processes_share_the_batches_and_give_the_same(small, monkeypatch):
    cfg, checkpoint = small
    images = training_set(cfg)
    model = load_model(cfg, checkpoint)
    alone = find_in_all(model, images, SETTINGS, batch_size=2)
    parts = []
    for rank in range(2):
        monkeypatch.setattr(inference, "get_dist_info", lambda rank=rank: (rank, 2))
        monkeypatch.setattr(inference, "all_gather_object", lambda rows: [rows])
        parts.append(find_in_all(model, images, SETTINGS, batch_size=2))
    assert set(parts[0]) == {0, 1, 4, 5}
    assert set(parts[1]) == {2, 3, 6}
    assert {**parts[0], **parts[1]} == alone


def test_division_does_not_depend_on_what_is_done():
    assert batches_left(7, 3, set()) == [[0, 1, 2], [3, 4, 5], [6]]
    assert batches_left(7, 3, {0, 1, 4, 6}) == [[0, 1, 2], [3, 4, 5]]
    assert batches_left(7, 3, set(range(7))) == []


def test_rows_have_rounded_numbers_and_the_files_categories(small):
    cfg, checkpoint = small
    images = training_set(cfg)
    (results,) = false_regions(load_model(cfg, checkpoint), images, [[0, 2]], SETTINGS)
    assert [index for index, _ in results] == [0, 2]
    rows = [row for _, found in results for row in found]
    assert rows
    for x, y, w, h, category, score in rows:
        assert json.loads(json.dumps([x, y, w, h, score])) == [x, y, w, h, score]
        assert all(round(v, 3) == v for v in (x, y, w, h))
        assert round(score, 6) == score >= 0.4
        assert category in (1, 2, 3)


def test_mining_amid_training_leaves_no_trace(small):
    cfg, checkpoint = small
    model = load_model(cfg, checkpoint).train()
    model.backbone.eval()  # a part with a mode of its own
    modes = {name: module.training for name, module in model.named_modules()}
    before = {key: value.clone() for key, value in model.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    find_in_all(model, training_set(cfg), SETTINGS, batch_size=4)
    assert torch.equal(torch.rand(3), expected)
    assert {name: module.training for name, module in model.named_modules()} == modes
    after = model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_mode_comes_back_after_an_error(small):
    cfg, checkpoint = small
    model = load_model(cfg, checkpoint).train()
    with pytest.raises(KeyError), undisturbed(model):
        raise KeyError
    assert model.training and model.bbox_head.training


def test_regions_that_the_detector_drops_are_warned_of_once(small, said):
    cfg, checkpoint = small
    images = training_set(cfg)
    model = load_model(cfg, checkpoint)
    found = {}
    for score_thr in (0.31, 0.3, 0.2, 0.1):
        settings = MiningSettings(score_thr=score_thr)
        found[score_thr] = find_in_all(model, images, settings, batch_size=4)
        assert len(said) == (score_thr < 0.3)
    assert found[0.1] == found[0.3]  # so it is
    assert said == [
        "mining with score_thr=0.2 finds no region of a score below 0.3, because "
        "model.test_cfg.score_thr=0.3 drops these detections. Set model.test_cfg.score_thr=0.2, "
        "or score_thr=0.3 (said once) [mining-score-thr]"
    ]


def test_the_second_stage_of_two_decides(said):
    cfg = Config.fromfile(CONFIGS / "faster_rcnn/faster_rcnn_composite_hituav160.py")
    model = SimpleNamespace(test_cfg=cfg.model.test_cfg)
    warn_of_score_thr(model, MiningSettings(score_thr=0.05))
    assert not said
    warn_of_score_thr(model, MiningSettings(score_thr=0.0))
    (line,) = said
    assert "because model.test_cfg.rcnn.score_thr=0.05 drops" in line
    assert "Set model.test_cfg.rcnn.score_thr=0, or score_thr=0.05" in line


@pytest.mark.parametrize("test_cfg", [None, {}, dict(rcnn=None), dict(nms_pre=1000)])
def test_a_detector_without_a_threshold_drops_none(test_cfg, said):
    warn_of_score_thr(SimpleNamespace(test_cfg=test_cfg), MiningSettings(score_thr=0.0))
    warn_of_score_thr(SimpleNamespace(), MiningSettings(score_thr=0.0))
    assert not said


def test_the_default_settings_fit_all_configs_of_the_project(said):
    names = config_names()
    for name in names:
        cfg = Config.fromfile(CONFIGS / name)
        warn_of_score_thr(SimpleNamespace(test_cfg=cfg.model.test_cfg), MiningSettings())
    assert names and not said
