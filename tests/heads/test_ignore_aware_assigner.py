"""The assigner against mmdet's, and what RoI heads and RPNs learn from on ignored regions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers_data import CONFIGS
from mmdet.models.task_modules.assigners import MaxIoUAssigner
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes, bbox_overlaps, get_box_tensor
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import Tensor

from mmthermal.heads import IgnoreAwareMaxIoUAssigner

SETTINGS: list[dict[str, Any]] = [
    dict(pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5, match_low_quality=False),
    dict(pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3, match_low_quality=True),
    dict(pos_iou_thr=0.5, neg_iou_thr=(0.1, 0.4), min_pos_iou=-1.0, gt_max_assign_all=False),
]


def boxes(rng: np.random.Generator, number: int) -> Tensor:
    low = rng.uniform(0, 60, (number, 2))
    return torch.tensor(np.concatenate([low, low + rng.uniform(1, 40, (number, 2))], 1)).float()


def instances(found: Tensor) -> InstanceData:
    return InstanceData(bboxes=found, labels=torch.arange(len(found)))


def check_equal(case: tuple[InstanceData, ...], settings: dict[str, Any]) -> None:
    ours = IgnoreAwareMaxIoUAssigner(**settings).assign(*case)
    theirs = MaxIoUAssigner(**settings).assign(*case)
    for name in ("gt_inds", "max_overlaps", "labels"):
        assert torch.equal(getattr(ours, name), getattr(theirs, name)), name


@pytest.mark.parametrize("candidates", [True, False])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_is_mmdets_in_images_with_objects(settings: dict[str, Any], candidates: bool) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        case = (
            InstanceData(priors=boxes(rng, int(rng.integers(0, 80)))),
            instances(boxes(rng, int(rng.integers(1, 6)))),
            instances(boxes(rng, int(rng.integers(0, 4)))),
        )
        thr = float(rng.choice([-1, 0, 0.3, 0.5]))
        check_equal(case, dict(settings, ignore_iof_thr=thr, ignore_wrt_candidates=candidates))


def test_is_mmdets_without_regions() -> None:
    rng = np.random.default_rng(1)
    settings = dict(SETTINGS[0], ignore_iof_thr=0.5)
    priors, nothing = InstanceData(priors=boxes(rng, 50)), instances(torch.zeros(0, 4))
    check_equal((priors, nothing), settings)
    check_equal((priors, nothing, nothing), settings)
    check_equal(
        (InstanceData(priors=torch.zeros(0, 4)), nothing, instances(boxes(rng, 2))), settings
    )
    check_equal((priors, nothing, instances(boxes(rng, 2))), dict(settings, ignore_iof_thr=-1))


@pytest.mark.parametrize("kind", [Tensor, HorizontalBoxes])
@pytest.mark.parametrize("candidates", [True, False])
def test_nothing_on_a_region_is_background_without_objects(candidates: bool, kind: type) -> None:
    rng = np.random.default_rng(2)
    priors, regions = boxes(rng, 200), boxes(rng, 3)
    pairs = (priors, regions) if candidates else (regions, priors)
    share = bbox_overlaps(*pairs, mode="iof").amax(int(candidates))
    assigner = IgnoreAwareMaxIoUAssigner(
        **SETTINGS[0], ignore_iof_thr=0.5, ignore_wrt_candidates=candidates
    )
    wrap = HorizontalBoxes if kind is HorizontalBoxes else lambda found: found
    found = assigner.assign(
        InstanceData(priors=wrap(priors)),
        InstanceData(bboxes=wrap(torch.zeros(0, 4)), labels=torch.zeros(0).long()),
        InstanceData(bboxes=wrap(regions), labels=torch.zeros(3).long()),
    )
    assert torch.equal(found.gt_inds, torch.where(share > 0.5, -1, 0))
    assert 20 < (found.gt_inds == 0).sum() < 180


REGION = torch.tensor([[10.0, 5, 70, 60]])
EVERYWHERE = torch.tensor([[-500.0, -500, 900, 900]])
TWO_STAGES = [
    "faster_rcnn_ce",
    "faster_rcnn_ohem",
    "faster_rcnn_composite",
    "faster_rcnn_composite_paper",
    "faster_rcnn_composite_rpn",
    "cascade_rcnn_composite",
]


def detector(name: str) -> Any:
    torch.manual_seed(0)
    init_default_scope("mmdet")
    path = CONFIGS / Path(name.split("_rcnn")[0] + "_rcnn") / f"{name}_synthetic.py"
    model = MODELS.build(Config.fromfile(path).model)
    model.train()
    return model


def sample(regions: Tensor, objects: Tensor = EVERYWHERE[:0]) -> DetDataSample:
    size = (64, 96)
    meta = dict(
        img_shape=size, pad_shape=size, batch_input_shape=size, ori_shape=size, scale_factor=(1, 1)
    )
    found = DetDataSample(metainfo=meta)
    found.gt_instances, found.ignored_instances = instances(objects), instances(regions)
    found.gt_instances.labels *= 0
    return found


@pytest.mark.parametrize("name", TWO_STAGES)
def test_no_stage_samples_background_on_a_region(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    negatives = []
    init = SamplingResult.__init__

    def spy(self: SamplingResult, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        negatives.append(get_box_tensor(self.neg_priors))

    monkeypatch.setattr(SamplingResult, "__init__", spy)
    detector(name).loss(torch.randn(2, 1, 64, 96), [sample(REGION)] * 2)
    assert len(negatives) == {"c": 8, "f": 4}[name[0]] - 2 * (name == "faster_rcnn_composite_rpn")
    for found in negatives:
        assert len(found) > 10
        assert bbox_overlaps(found, REGION, mode="iof").max() <= 0.5 + 1e-6


@pytest.mark.parametrize("name", TWO_STAGES)
def test_trains_where_every_proposal_lies_on_a_region(name: str) -> None:
    batches = ([sample(EVERYWHERE)] * 2, [sample(EVERYWHERE), sample(REGION[:0], REGION)])
    for samples in batches:
        model = detector(name)
        total, _ = model.parse_losses(model.loss(torch.randn(2, 1, 64, 96), samples))
        total.backward()
        assert (total > 0) == (samples is batches[1])
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        assert all(grad.isfinite().all() for grad in grads)
