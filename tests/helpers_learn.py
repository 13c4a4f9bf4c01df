"""A small problem that a detector learns, or visibly fails to learn, in seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from helpers_data import tiny_config
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope


@dataclass
class Outcome:
    """What came of a training.

    Attributes:
        losses: the objective of each iteration.
        logs: the last value of each logged part.
        top_score: the largest score of any detection after training.
        ap50: AP at IoU 0.5 on the training images.
    """

    losses: list[float]
    logs: dict[str, float]
    top_score: float
    ap50: float


def overfit(
    root: Path,
    *,
    seed: int,
    iters: int,
    lr: float = 2e-3,
    config: str = "retinanet/retina_composite_hituav160.py",
    **loss_composite: Any,
) -> Outcome:
    """Train a tiny RetinaNet from scratch on all training images at once and test it on them.

    Args:
        root: data set of ``write_coco``.
        seed: of the initial weights.
        iters: iterations, each on all images.
        lr: peak learning rate of AdamW; it rises over the first 20 iterations and falls over the
            last 20, so that the outcome is not that of the last step's noise.
        config: path below configs.
        **loss_composite: settings of the loss.

    Returns:
        the outcome on the training images.
    """
    init_default_scope("mmdet")
    cfg = tiny_config(config, root)
    # No deep copies: what is left of the config's loss is what the caller asked for.
    if loss_composite:
        cfg.model.bbox_head.loss_composite = dict(loss_composite)
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model)
    model.init_weights()
    train_set = cfg.train_dataloader.dataset
    train_set.pipeline = [
        step for step in train_set.pipeline if not step["type"].startswith("Random")
    ]
    dataset = DATASETS.build(train_set)
    batch = pseudo_collate([dataset[i] for i in range(len(dataset))])
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    losses, logs = [], {}
    model.train()
    for i in range(iters):
        for group in optimizer.param_groups:
            group["lr"] = lr * min((i + 1) / 20, (iters - i) / 20, 1.0)
        data = model.data_preprocessor(batch, training=True)
        loss, logs = model.parse_losses(model.loss(data["inputs"], data["data_samples"]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()
        losses.append(float(loss.detach()))
    top_score, ap50 = evaluate(model, cfg, root)
    return Outcome(losses, {k: float(v) for k, v in logs.items()}, top_score, ap50)


@torch.no_grad()
def evaluate(model: torch.nn.Module, cfg: Any, root: Path) -> tuple[float, float]:
    """Largest score and AP50 of a model on the training images.

    Args:
        model: the detector.
        cfg: its config.
        root: data set of ``write_coco``.

    Returns:
        the two numbers; AP50 is 0 without any detection.
    """
    val_set = cfg.val_dataloader.dataset
    val_set.update(ann_file="annotations/train.json", data_prefix=dict(img="train/"))
    dataset = DATASETS.build(val_set)
    metric = METRICS.build(
        dict(type="CocoMetric", ann_file=f"{root}/annotations/train.json", metric="bbox")
    )
    metric.dataset_meta = dataset.metainfo
    model.eval()
    batch = pseudo_collate([dataset[i] for i in range(len(dataset))])
    samples = model.test_step(batch)
    metric.process(batch, [sample.to_dict() for sample in samples])
    results = metric.evaluate(len(dataset))
    scores = torch.cat([sample.pred_instances.scores for sample in samples])
    top = float(scores.max()) if len(scores) else 0.0
    return top, max(results.get("coco/bbox_mAP_50", 0.0), 0.0)
