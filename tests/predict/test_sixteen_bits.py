"""Every level of a 16-bit image, from the file to what the network's first layer gets."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmdet.apis import inference_detector
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmthermal.predict.predictor import Predictor
from mmthermal.predict.sources import find_sources

LEVELS = 1500
IMAGE = (20_992 + np.random.default_rng(0).permutation(64 * 96).reshape(64, 96) % LEVELS).astype(
    np.uint16
)


def write_video(path: Path) -> bool:
    """FFV1 of 16-bit grey, as FFmpeg's gray16le; False where OpenCV can't."""
    settings = [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U, cv2.VIDEOWRITER_PROP_IS_COLOR, 0]
    lossless = cv2.VideoWriter.fourcc(*"FFV1")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, lossless, 9.0, (96, 64), settings)
    if not writer.isOpened():
        return False
    for _ in range(2):
        writer.write(IMAGE)
    writer.release()
    return True


def check(inputs: Tensor) -> None:
    """As many values as counts, in a straight line with them (float32 of a normalised image)."""
    values = inputs.squeeze().double().numpy()
    assert values.shape == IMAGE.shape
    assert len(np.unique(values)) == LEVELS
    slope, level = np.polyfit(IMAGE.ravel().astype(float), values.ravel(), 1)
    np.testing.assert_allclose((values - level) / slope, IMAGE, atol=0.1)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".npy", ".mkv"])
def test_files(predictor: Predictor, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, IMAGE)
    elif suffix == ".mkv":
        if not write_video(path):
            pytest.skip("this OpenCV can't write 16-bit video")
    else:
        cv2.imwrite(str(path), IMAGE)
    (source,), failures = find_sources([tmp_path])
    assert failures == []
    frames = list(predictor.frames(source))
    for frame in frames:
        batch = pseudo_collate([frame.data])
        check(predictor.model.data_preprocessor(batch, training=False)["inputs"])


def test_arrays(predictor: Predictor) -> None:
    """mmdet's own way for an array in memory."""
    seen = []
    hook = predictor.model.backbone.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0])
    )
    try:
        inference_detector(predictor.model, IMAGE)
    finally:
        hook.remove()
    check(seen[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros(5), r"float64 of shape \(5,\), expected numbers"),
        (np.array([["a", "b"]]), "expected numbers"),
        (b"no array", "can't be read"),
        (b"", "can't be read"),
    ],
)
def test_broken_arrays_are_named(tmp_path: Path, content, message: str) -> None:
    from mmthermal.datasets import LoadThermalImage

    path = tmp_path / "a.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(ValueError, match=rf"a\.npy.*{message}"):
        LoadThermalImage()(dict(img_path=str(path)))
