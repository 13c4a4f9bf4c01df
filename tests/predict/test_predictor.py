"""The config's own pipeline loads what it can; boxes are mmdet's."""

from pathlib import Path

import cv2
import mmcv
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmthermal.common.display import read_image
from mmthermal.common.gain import clahe
from mmthermal.predict.predictor import Predictor, batches
from mmthermal.predict.sources import find_sources


def test_sixteen_bits_reach_the_network(predictor: Predictor, tmp_path: Path) -> None:
    ramp = np.arange(64 * 96).reshape(64, 96) % 200
    cv2.imwrite(str(tmp_path / "a.png"), (20_992 + ramp).astype(np.uint16))
    (source,), _ = find_sources([tmp_path / "a.png"])
    data = predictor.prepare(source).data["inputs"].double()
    # Cut to 8 bits, the ramp of 200 counts would have one value. A pipeline may scale it linearly.
    assert len(torch.unique(data)) == 200
    correlation = np.corrcoef(data.numpy().ravel(), ramp.ravel())[0, 1]
    assert correlation == pytest.approx(1, abs=1e-6)


def test_a_loader_that_would_cut_gets_gain_control_instead(
    model: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    config = tmp_path / "cut.py"
    cfg = Config.fromfile(model[0])
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[0] = dict(type="LoadImageFromFile")
    cfg.dump(config)
    predictor = Predictor(config, model[1], device="cpu")
    ramp = np.arange(64 * 96).reshape(64, 96) % 200
    cv2.imwrite(str(tmp_path / "a.png"), (20_992 + ramp).astype(np.uint16))
    (source,), _ = find_sources([tmp_path / "a.png"])
    for _ in range(2):
        data = predictor.prepare(source).data["inputs"]
    assert len(torch.unique(data)) > 150
    assert capsys.readouterr().err.count("would cut uint16 pictures to 8 bits") == 1


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_what_mmdets_loader_cannot_take_goes_through_gain_control(
    model: tuple[Path, Path], tmp_path: Path, kind: type
) -> None:
    """It makes 0 and 255 of these temperatures in whole numbers, and nothing of others."""
    cfg = Config.fromfile(model[0])
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.pipeline[0] = dict(type="LoadImageFromFile")
    cfg.dump(tmp_path / "cut.py")
    predictor = Predictor(tmp_path / "cut.py", model[1], device="cpu")
    ramp = np.arange(64 * 96).reshape(64, 96) % 60 - 20
    cv2.imwrite(str(tmp_path / "a.tiff"), ramp.astype(kind))
    (source,), _ = find_sources([tmp_path / "a.tiff"])
    assert len(torch.unique(predictor.prepare(source).data["inputs"])) >= 60


def test_batches_hold_frames_of_one_size(predictor: Predictor, folder: Path) -> None:
    sources, _ = find_sources([folder])
    sizes = [len(batch) for batch in batches(predictor, sources, 8, [])]
    assert sizes == [3, 1, 1]
    sizes = [len(batch) for batch in batches(predictor, sources, 2, [])]
    assert sizes == [2, 1, 1, 1]


def test_boxes_below_the_score_are_in_the_json_but_not_drawn(
    predictor: Predictor, folder: Path
) -> None:
    (source,), _ = find_sources([folder / "000.png"])
    frame = predictor.prepare(source)
    (sample,) = predictor.detect([frame])
    plain = predictor.draw(frame, sample, score_thr=1.0, min_side=96)
    drawn = predictor.draw(frame, sample, score_thr=0.0, min_side=96)
    assert (np.ptp(plain, axis=2) == 0).all()  # grey: nothing drawn
    assert (np.ptp(drawn, axis=2) > 50).any()


def test_drawn_is_the_gain_control_of_the_pipeline(
    model: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    text = model[0].read_text()
    assert "dict(type='NormalizeFrame')" in text
    control = "dict(type='GainControl', method='clahe'), dict(type='NormalizeFrame')"
    (tmp_path / "clahe.py").write_text(text.replace("dict(type='NormalizeFrame')", control))
    predictor = Predictor(tmp_path / "clahe.py", model[1], device="cpu")
    (source,), _ = find_sources([folder / "000.png"])
    frame = predictor.prepare(source)
    (sample,) = predictor.detect([frame])
    drawn = predictor.draw(frame, sample, score_thr=1.0, min_side=1)
    np.testing.assert_array_equal(drawn[..., 0], clahe(frame.raw).round().astype(np.uint8))


def test_missing_weights_are_named(model: tuple[Path, Path]) -> None:
    with pytest.raises(FileNotFoundError, match=r"checkpoint .*none\.pth' does not exist"):
        Predictor(model[0], "none.pth")


def test_an_option_that_changes_nothing_is_refused(model: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="modle"):
        Predictor(*model, device="cpu", cfg_options={"modle.test_cfg.score_thr": 0.5})
    with pytest.raises(FileNotFoundError, match="did you mean 'retina_composite"):
        Predictor("retina_compsite", model[1], device="cpu")


@pytest.mark.parametrize("offset", [0.0, -300.0])
def test_temperatures_with_a_dead_pixel_go_as_without(
    predictor: Predictor, tmp_path: Path, offset: float, capsys: pytest.CaptureFixture
) -> None:
    image = np.random.default_rng(0).normal(20, 5, (64, 96)).astype(np.float32) + np.float32(offset)
    dead = image.copy()
    dead[0, 0] = np.nan
    for name, values in (("a.tiff", image), ("b.tiff", dead)):
        cv2.imwrite(str(tmp_path / name), values)
    inputs = [predictor.prepare(source).data["inputs"] for source in find_sources([tmp_path])[0]]
    assert torch.isfinite(inputs[1]).all() and "would cut" not in capsys.readouterr().err
    np.testing.assert_allclose(inputs[0][..., 1:, 1:], inputs[1][..., 1:, 1:], atol=0.02)


def test_what_the_loader_refuses_is_a_failure_of_that_file(
    predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Too many pixels that are no numbers; nothing else may go to the network in their place."""
    image = np.random.default_rng(0).normal(20, 5, (64, 96)).astype(np.float32)
    np.save(tmp_path / "good.npy", image)
    for name, value in (("inf.npy", np.inf), ("nan.tiff", np.nan)):
        dead = image.copy()
        dead[:2] = value
        cv2.imwrite(str(tmp_path / name), dead) if "tiff" in name else np.save(
            tmp_path / name, dead
        )
    failures: list[str] = []
    sources, _ = find_sources([tmp_path])
    frames = [frame for batch in batches(predictor, sources, 8, failures) for frame in batch]
    assert [frame.source.name for frame in frames] == ["good.npy"]
    assert [line.partition(":")[0] for line in failures] == [
        str(tmp_path / "inf.npy"),
        str(tmp_path / "nan.tiff"),
    ]
    assert all(line.endswith("[nan-pixels]") for line in failures)
    assert "would cut" not in capsys.readouterr().err


def test_colours_of_16_bits_are_not_cut_by_a_loader_that_makes_them_grey(
    predictor: Predictor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    """Grey of blue alone is a ninth of it."""

    class GreyLoader:
        def __call__(self, results: dict) -> dict:
            image = read_image(results["img_path"]).astype(np.float32)
            image = mmcv.bgr2gray(image)
            return {**results, "img": image, "img_shape": (64, 96), "ori_shape": (64, 96)}

    blue = np.zeros((64, 96, 3), np.uint16)
    blue[..., 0] = 20_992 + np.arange(64 * 96).reshape(64, 96) % 1000
    cv2.imwrite(str(tmp_path / "a.png"), blue)
    (source,), _ = find_sources([tmp_path])
    usual = predictor.prepare(source).data["inputs"]
    monkeypatch.setattr(
        predictor.pipeline, "transforms", [GreyLoader(), *predictor.pipeline.transforms[1:]]
    )
    torch.testing.assert_close(predictor.prepare(source).data["inputs"], usual)
    assert len(torch.unique(usual)) == 1000  # of 8 bits there would be 256
    assert "would cut" not in capsys.readouterr().err
