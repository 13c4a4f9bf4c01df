"""Prediction on images, folders and videos of any depth."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers_data import ROOT, write_coco, write_video
from mmdet.apis import inference_detector
from pycocotools.coco import COCO

from mmthermal.common.checks import InputError
from mmthermal.predict.command import predict_command
from mmthermal.predict.predictor import Predictor


def predict(model: tuple[Path, Path], *inputs: Path, out: Path, **settings: object):
    report = predict_command(inputs, *model, out=out, quiet=True, device="cpu", **settings)
    content = None if report.json_path is None else json.loads(report.json_path.read_text())
    return report, content


def test_a_folder_gives_pictures_and_coco_json(
    model: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report, content = predict(model, folder, out=out, batch_size=2, min_side=300)
    assert report.failures == []
    names = [image["file_name"] for image in content["images"]]
    assert names == ["000.png", "001.png", "002.png", "003.png", "deep/000.png"]
    assert [(i["width"], i["height"]) for i in content["images"]] == [
        (96, 64), (96, 64), (96, 64), (96, 48), (96, 64),
    ]  # fmt: skip
    assert report.num_detections == len(content["annotations"]) > 0
    assert [c["name"] for c in content["categories"]] == ["person", "vehicle", "bicycle"]
    picture = cv2.imread(str(out / "pictures" / "deep" / "000.png"))
    assert picture.shape == (4 * 64, 4 * 96, 3)
    coco = COCO(str(report.json_path))  # both files are what pycocotools reads
    loaded = coco.loadRes(str(report.results_path))
    assert len(loaded.anns) == report.num_detections


def test_what_is_drawn_is_counted(model: tuple[Path, Path], folder: Path, tmp_path: Path) -> None:
    _, content = predict(model, folder, out=tmp_path / "all", pictures=False)
    scores = sorted(annotation["score"] for annotation in content["annotations"])
    middle = scores[len(scores) // 2]
    report, _ = predict(model, folder, out=tmp_path / "some", score_thr=middle)
    assert report.num_drawn == sum(score > middle for score in scores) < report.num_detections
    report, _ = predict(model, folder, out=tmp_path / "none", pictures=False, score_thr=0.0)
    assert report.num_drawn == 0


def test_boxes_are_those_of_mmdets_inference_detector(
    model: tuple[Path, Path], predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    _, content = predict(model, folder, out=tmp_path / "out", batch_size=3, pictures=False)
    for image in content["images"]:
        expected = inference_detector(predictor.model, str(folder / image["file_name"]))
        expected = expected.pred_instances
        found = [a for a in content["annotations"] if a["image_id"] == image["id"]]
        boxes = np.array([a["bbox"] for a in found])
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(boxes, expected.bboxes.numpy(), atol=1e-3)
        np.testing.assert_allclose([a["score"] for a in found], expected.scores.numpy(), atol=1e-5)
        assert [a["category_id"] - 1 for a in found] == expected.labels.tolist()
    assert not (tmp_path / "out" / "pictures").exists()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_depths_and_channels(
    model: tuple[Path, Path], tmp_path: Path, channels: int, kind: type
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 96, channels)).astype(kind)
    cv2.imwrite(str(tmp_path / "a.tiff"), picture)
    report, content = predict(model, tmp_path / "a.tiff", out=tmp_path / "out")
    assert report.failures == []
    assert len(content["images"]) == 1
    assert (tmp_path / "out" / "pictures" / "a.png").exists()


def test_unreadable_files_are_listed_and_the_others_processed(
    model: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    (folder / "001.png").write_bytes(b"no picture")
    (folder / "clip.mp4").write_bytes(b"no video")
    np.save(folder / "002.npy", np.zeros(5))
    (folder / "gone.png").symlink_to(tmp_path / "gone.png")
    (folder / "loop.png").symlink_to("loop.png")
    (tmp_path / "empty").mkdir()
    missing = tmp_path / "missing.png"
    report, content = predict(
        model, folder, tmp_path / "empty", missing, out=tmp_path / "out", pictures=False
    )
    assert len(content["images"]) == 4
    reasons = dict(failure.split(": ", 1) for failure in report.failures)
    assert reasons == {
        str(folder / "001.png"): "the image can't be read: it is broken, or not an image",
        str(folder / "002.npy"): (
            "the array is float64 of shape (5,), expected numbers of shape (H, W) or (H, W, C), "
            "with pixels"
        ),
        str(folder / "gone.png"): "a link to a file that does not exist",
        str(folder / "loop.png"): "a link to a file that does not exist",
        str(folder / "clip.mp4"): "no video that can be opened",
        str(tmp_path / "empty"): "no image or video in this folder",
        str(missing): "does not exist",
    }


def test_where_nothing_can_be_read_the_results_of_before_stay(
    model: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    _, before = predict(model, folder, out=tmp_path / "out", pictures=False)
    (tmp_path / "text.png").write_bytes(b"no picture")
    report = predict_command(
        [tmp_path / "text.png"], *model, out=tmp_path / "out", device="cpu", quiet=True
    )
    assert report.json_path is None and len(report.failures) == 1
    assert json.loads((tmp_path / "out" / "predictions.json").read_text()) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("name", ["cuda", "cuda:1", "gpu"])
def test_a_device_that_is_not_there(model: tuple[Path, Path], name: str) -> None:
    with pytest.raises(InputError, match=f"device='{name}': .*cpu"):
        Predictor(*model, device=name)


def test_a_setting_that_no_class_has(model: tuple[Path, Path], folder: Path) -> None:
    with pytest.raises(InputError, match="'num_clases': did you mean 'num_classes'"):
        Predictor(*model, device="cpu", cfg_options={"model.bbox_head.num_clases": 2})


def test_a_video_gives_a_video_and_numbered_frames(
    model: tuple[Path, Path], tmp_path: Path
) -> None:
    write_video(tmp_path / "clip.avi", 7)
    report, content = predict(
        model, tmp_path / "clip.avi", out=tmp_path / "out", batch_size=3, min_side=200
    )
    assert report.failures == []
    assert [image["frame"] for image in content["images"]] == list(range(7))
    assert {image["file_name"] for image in content["images"]} == {"clip.avi"}
    capture = cv2.VideoCapture(str(tmp_path / "out" / "pictures" / "clip.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 7
    assert capture.get(cv2.CAP_PROP_FPS) == 10
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == 3 * 96


def test_the_same_name_twice_is_written_twice(model: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_coco(tmp_path / name, splits={"s": 1})
    inputs = [tmp_path / name / "s" / "000.png" for name in ("a", "b", "a")]
    report, content = predict(model, *inputs, out=tmp_path / "out")
    names = ["a/s/000.png", "b/s/000.png"]
    assert [image["file_name"] for image in content["images"]] == names
    assert report.num_images == 2
    pictures = tmp_path / "out" / "pictures"
    assert sorted(p.relative_to(pictures).as_posix() for p in pictures.rglob("*.png")) == names


def test_one_name_with_two_endings_is_drawn_twice(
    model: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    picture = cv2.imread(str(folder / "000.png"), cv2.IMREAD_UNCHANGED)
    for ending in ("png", "tiff"):
        assert cv2.imwrite(str(tmp_path / "in" / f"a.{ending}"), picture)
    _, content = predict(model, tmp_path / "in", out=tmp_path / "out")
    assert [image["file_name"] for image in content["images"]] == ["a.png", "a.tiff"]
    written = sorted(p.name for p in (tmp_path / "out" / "pictures").iterdir())
    assert written == ["a-2.png", "a.png"]


def test_own_output_inside_the_input_is_not_read_again(
    model: tuple[Path, Path], folder: Path
) -> None:
    first, _ = predict(model, folder, out=folder / "out")
    second, _ = predict(model, folder, out=folder / "out")
    assert first.num_images == second.num_images == 5


@pytest.mark.parametrize(
    "settings",
    [
        {"score_thr": 1.5},
        {"score_thr": -0.1},
        {"batch_size": 0},
        {"min_side": 0},
        {"min_side": 100_000},
    ],
)
def test_settings_are_checked(model: tuple[Path, Path], tmp_path: Path, settings: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        predict(model, tmp_path, out=tmp_path / "out", **settings)


@pytest.mark.slow
def test_the_tool_ends_with_1_if_something_could_not_be_read(
    model: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    def tool(*inputs: Path, score_thr: str = "0") -> subprocess.CompletedProcess:
        command = [sys.executable, str(ROOT / "tools" / "predict.py"), *map(str, inputs)]
        command += [*map(str, model), "--out", str(tmp_path / "out"), "--device", "cpu"]
        command += ["--score-thr", score_thr]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    good = tool(folder)
    assert good.returncode == 0, good.stderr
    assert "detections in 5 pictures: " in good.stdout
    (folder / "002.png").write_bytes(b"")
    bad = tool(folder, tmp_path / "missing.png", score_thr="1")
    assert bad.returncode == 1
    assert "detections in 4 pictures (0 above --score-thr 1 are drawn): " in bad.stdout
    assert "error: 2 could not be read:" in bad.stderr
    assert "002.png: the image can't be read" in bad.stderr


def test_settings_of_the_pictures_reach_them(
    model: tuple[Path, Path], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def draw(self: Predictor, *_: object, **settings: object) -> np.ndarray:
        seen.append(settings)
        return np.zeros((4, 6, 3), np.uint8)

    monkeypatch.setattr(Predictor, "draw", draw)
    predict(model, folder / "000.png", out=tmp_path / "out", score_thr=0.7, min_side=320)
    assert seen == [dict(score_thr=0.7, min_side=320)]
