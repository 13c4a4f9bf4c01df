"""Training steps and a prediction of any config, on any device and in any precision."""

from typing import Any

import torch
from helpers_data import CONFIGS
from helpers_detectors import batch, thin_r50
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope


def build(name: str, *, thin: bool) -> Any:
    """The config's detector, without weights from the net, and the number of its channels.

    Thin: with fewer channels inside if it has a ResNet-50, which takes a minute in bfloat16 on a
    processor without it; whole if its batch norms train, which rounds more in fewer channels.
    """
    init_default_scope("mmdet")
    cfg = Config.fromfile(CONFIGS / name).model
    if thin and cfg.backbone.depth == 50 and cfg.backbone.norm_eval:
        thin_r50(cfg)
    if "checkpoint" in str(cfg.backbone.get("init_cfg", "")):
        cfg.backbone.init_cfg = None
    torch.manual_seed(0)
    return MODELS.build(cfg), cfg.backbone.get("in_channels", 3)


def two_steps_and_a_prediction(name: str, dtype: torch.dtype, device: str = "cpu") -> list[float]:
    """Losses of two training steps under autocast; every parameter gets a finite gradient."""
    model, channels = build(name, thin=device == "cpu")
    model.to(device).train()
    data = batch(masks=False)
    data["inputs"] = [image[:channels] / 255 for image in data["inputs"]]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(2):
        with torch.autocast(device, dtype=dtype, enabled=dtype != torch.float32):
            inputs = model.data_preprocessor(data, training=True)
            loss, _ = model.parse_losses(model(**inputs, mode="loss"))
        optimizer.zero_grad()
        loss.backward()
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        assert grads and all(grad.isfinite().all() for grad in grads)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad(), torch.autocast(device, dtype=dtype, enabled=dtype != torch.float32):
        found = model(**model.data_preprocessor(data), mode="predict")
    assert all(torch.isfinite(sample.pred_instances.scores).all() for sample in found)
    return losses
