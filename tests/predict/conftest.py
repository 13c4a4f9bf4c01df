"""A small random detector, and 16-bit frames."""

from pathlib import Path

import cv2
import pytest
import torch
from helpers_data import tiny_config, write_coco
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules

from mmthermal.predict.predictor import Predictor


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Config and checkpoint of a small random detector; its data set has been deleted since."""
    root = tmp_path_factory.mktemp("model")
    data = write_coco(root / "data")
    cfg = tiny_config("retina_focal.py", data)
    cfg.model.test_cfg.score_thr = 0.0
    cfg.model.test_cfg.max_per_img = 20
    (data / "annotations" / "val.json").unlink()
    cfg.dump(root / "config.py")
    torch.manual_seed(0)
    register_all_modules()
    detector = MODELS.build(cfg.model)
    for parameter in detector.bbox_head.retina_cls.parameters():
        torch.nn.init.normal_(parameter, std=0.5)  # scores that differ
    meta = {"dataset_meta": {"classes": ("person", "vehicle", "bicycle")}}
    torch.save({"state_dict": detector.state_dict(), "meta": meta}, root / "weights.pth")
    return root / "config.py", root / "weights.pth"


@pytest.fixture(scope="session")
def predictor(model: tuple[Path, Path]) -> Predictor:
    """The same, ready for pictures."""
    return Predictor(*model, device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """16-bit frames, one of another size, in a tree."""
    data = write_coco(tmp_path / "data", splits={"in": 5})
    (data / "in" / "deep").mkdir()
    (data / "in" / "004.png").rename(data / "in" / "deep" / "000.png")
    image = cv2.imread(str(data / "in" / "003.png"), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(data / "in" / "003.png"), image[:48])
    return data / "in"
