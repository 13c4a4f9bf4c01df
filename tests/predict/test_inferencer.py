"""mmdet's inferencers on configs with our loader."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector, init_detector
from mmengine.config import Config

from mmthermal.common.safe_loading import CheckpointError, load_file
from mmthermal.predict.inferencer import ThermalInferencer


@pytest.fixture(scope="module")
def frames() -> dict[str, np.ndarray]:
    grey = np.random.default_rng(0).integers(20, 200, (64, 96)).astype(np.uint8)
    return {"(H, W)": grey, "(H, W, 3)": np.repeat(grey[..., None], 3, 2)}


@pytest.mark.parametrize("shape", ["(H, W)", "(H, W, 3)"])
def test_arrays_and_files_give_the_same(
    model: tuple[Path, Path], frames: dict[str, np.ndarray], shape: str, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), frames["(H, W)"])
    detector = init_detector(str(model[0]), str(model[1]), device="cpu", palette="random")
    expected = inference_detector(detector, str(tmp_path / "a.png")).pred_instances
    found = inference_detector(detector, frames[shape]).pred_instances
    assert len(expected) > 0
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)

    settings: dict[str, Any] = dict(device="cpu", show_progress=False, palette="random")
    inferencer = ThermalInferencer(model=str(model[0]), weights=str(model[1]), **settings)
    for given in (str(tmp_path / "a.png"), frames[shape]):
        (result,) = inferencer(given, out_dir=str(tmp_path / "out"))["predictions"]
        np.testing.assert_allclose(result["scores"], expected.scores, atol=1e-3)
    assert list((tmp_path / "out" / "vis").iterdir())


def test_weights_that_do_not_fit_are_refused(model: tuple[Path, Path], tmp_path: Path) -> None:
    content = load_file(model[1])
    content["state_dict"] = {k: v for k, v in content["state_dict"].items() if "neck" not in k}
    torch.save(content, tmp_path / "a.pth")
    settings: dict[str, Any] = dict(device="cpu", show_progress=False, palette="random")
    with pytest.raises(CheckpointError, match="missing: neck"):
        ThermalInferencer(model=str(model[0]), weights=str(tmp_path / "a.pth"), **settings)


def test_configs_of_mmdet_go_as_before(model: tuple[Path, Path], tmp_path: Path) -> None:
    config = tmp_path / "plain.py"
    cfg = Config.fromfile(model[0])
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[0] = dict(type="LoadImageFromFile")
    cfg.dump(config)
    settings: dict[str, Any] = dict(device="cpu", show_progress=False, palette="random")
    inferencer = ThermalInferencer(model=str(config), weights=str(model[1]), **settings)
    assert type(inferencer.pipeline.transforms[0]).__name__ == "InferencerLoader"
