"""A small data set, a detector with random weights that finds much in it, and its checkpoint."""

from pathlib import Path

import pytest
import torch
from helpers_data import tiny_config, write_coco
from helpers_heads import spread_weights
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

NUM_IMAGES = 7


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Path]:
    """Config and checkpoint."""
    folder = tmp_path_factory.mktemp("mining")
    data = write_coco(folder / "set", splits=dict(train=NUM_IMAGES, val=3, test=1))
    cfg = tiny_config("retinanet/retina_composite_hituav160.py", data)
    cfg.merge_from_dict({"model.test_cfg.score_thr": 0.3, "model.test_cfg.max_per_img": 20})
    cfg.work_dir = str(folder / "work")
    init_default_scope("mmdet")
    model = MODELS.build(cfg.model)
    torch.manual_seed(0)
    model.init_weights()
    spread_weights(model.bbox_head)
    checkpoint = folder / "weights.pth"
    torch.save(model.state_dict(), checkpoint)
    config = folder / "config.py"
    cfg.dump(config)
    return Config.fromfile(config), checkpoint
