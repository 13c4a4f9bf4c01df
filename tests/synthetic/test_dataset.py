"""The embedded data set: determinism, COCO files, second runs, errors, the tool."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers_synthetic import settings
from pycocotools import mask
from pycocotools.coco import COCO

from mmthermal.synthetic.dataset import VERSION, draw_image, make_synthetic
from mmthermal.synthetic.settings import SPLITS

SMALL = dict(num_train=6, num_val=3, num_test=2)
ROOT = Path(__file__).parents[2]


def digest(root: Path) -> dict[str, str]:
    """Hash of every file below a folder."""
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synthetic") / "set"
    make_synthetic(out, num_train=60, num_val=12, num_test=8)
    return out


def load(root: Path, split: str) -> COCO:
    return COCO(str(root / "annotations" / f"{split}.json"))


def test_same_seed_gives_identical_files_whatever_numpys_state(tmp_path: Path) -> None:
    np.random.seed(1)
    make_synthetic(tmp_path / "a", **SMALL)
    np.random.seed(2)
    make_synthetic(tmp_path / "b", **SMALL)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert len(digest(tmp_path / "a")) == 11 + 3 + 1  # images, annotations, info.json


@pytest.mark.parametrize(
    ("split", "index", "mean", "deviation", "objects"),
    [
        ("train", 0, 28885.64, 545.50, []),
        ("val", 1, 28440.53, 386.24, ["car", "bicycle", "person"]),
        ("test", 2, 29614.96, 151.54, ["person", "person"]),
    ],
)
def test_images_of_this_version_stay_the_same(
    split: str, index: int, mean: float, deviation: float, objects: list[str]
) -> None:
    # where this changes on purpose, VERSION must rise
    frame, rendered = draw_image(settings(), split, index)
    assert [item.category for item in rendered.instances] == objects
    assert frame.mean() == pytest.approx(mean, abs=0.1)
    assert frame.std() == pytest.approx(deviation, abs=0.1)
    assert VERSION == 2


def test_number_of_processes_changes_nothing(tmp_path: Path) -> None:
    make_synthetic(tmp_path / "a", **SMALL, workers=1)
    make_synthetic(tmp_path / "b", **SMALL, workers=2)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_other_seed_gives_other_images(tmp_path: Path) -> None:
    make_synthetic(tmp_path / "a", **SMALL)
    make_synthetic(tmp_path / "b", **SMALL, seed=1)
    one, two = digest(tmp_path / "a"), digest(tmp_path / "b")
    assert not set(one.values()) & set(two.values())


def test_an_image_does_not_depend_on_how_many_there_are(tmp_path: Path) -> None:
    make_synthetic(tmp_path / "a", num_train=2, num_val=1, num_test=0)
    make_synthetic(tmp_path / "b", num_train=4, num_val=3, num_test=1)
    few, many = digest(tmp_path / "a"), digest(tmp_path / "b")
    pictures = [name for name in few if name.endswith(".png")]
    assert len(pictures) == 3
    assert all(few[name] == many[name] for name in pictures)


def test_splits_share_no_scene_and_no_camera() -> None:
    frames = {s: draw_image(settings(), s, 0) for s in SPLITS}
    sums = {s: float(r.radiance.sum()) for s, (_, r) in frames.items()}
    assert len(set(sums.values())) == 3
    # the fixed pattern left in the mean of many frames of one split is not that of another
    mean = {}
    for split in ("train", "val"):
        rows = [
            draw_image(settings(cameras=1, netd=1.0), split, i)[0].astype(float) for i in range(30)
        ]
        fine = [np.diff(r, axis=1) for r in rows]
        mean[split] = [np.median(fine[:15], axis=0), np.median(fine[15:], axis=0)]

    def alike(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

    assert alike(*mean["train"]) > 0.3
    assert abs(alike(mean["train"][0], mean["val"][0])) < 0.15


def test_images_are_16_bit_one_channel_and_in_range(data: Path) -> None:
    for path in sorted((data / "train").glob("*.png"))[:20]:
        raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert raw.dtype == np.uint16 and raw.shape == (120, 160)
        assert 22_000 < raw.min() and raw.max() < 42_000  # 220 K to 420 K
        assert raw.std() > 10


def test_file_equals_the_drawn_image(data: Path) -> None:
    frame, _ = draw_image(settings(bad_pixels=1e-5, cameras=8), "val", 5)
    raw = cv2.imread(str(data / "val" / "val_00005.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(raw, frame)


@pytest.mark.parametrize("split", SPLITS)
def test_annotations_are_valid_coco(data: Path, split: str) -> None:
    coco = load(data, split)
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == [
        "person", "bicycle", "car", "dog",
    ]  # fmt: skip
    assert coco.getAnnIds() == list(range(1, len(coco.getAnnIds()) + 1))
    for image in coco.loadImgs(coco.getImgIds()):
        assert (data / split / image["file_name"]).is_file()
        found = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        own = {a["id"] for a in found}
        for item in found:
            for key in ("bbox", "bbox_visible", "bbox_full"):
                x, y, w, h = item[key]
                assert x >= 0 and y >= 0 and w >= 1 and h >= 1
                assert x + w <= 160 + 1e-3 and y + h <= 120 + 1e-3
            assert item["bbox"] == item["bbox_visible"]
            assert item["area"] == pytest.approx(item["bbox"][2] * item["bbox"][3], abs=0.02)
            assert 0 < item["visible"] <= 1 and 0 <= item["truncated"] <= 1
            assert set(item["occluded_by"]) <= own - {item["id"]}
            shy = item["visible"] < 0.25 or min(item["bbox"][2:]) < 3
            assert item["iscrowd"] == int(shy)


def test_boxes_are_those_of_the_rendered_masks(data: Path) -> None:
    coco = load(data, "train")
    checked = 0
    for index in range(12):
        _, rendered = draw_image(settings(bad_pixels=1e-5, cameras=8), "train", index)
        found = coco.loadAnns(coco.getAnnIds(imgIds=index + 1))
        masks = []
        for item in rendered.instances:
            rows, cols = np.nonzero(rendered.owner == item.index)
            if len(rows):
                masks.append(
                    (cols.min() / 3, rows.min() / 3, (np.ptp(cols) + 1) / 3, (np.ptp(rows) + 1) / 3)
                )
        for item in found:
            assert any(np.allclose(item["bbox"], m, atol=2e-4) for m in masks)
            checked += 1
    assert checked > 20


def test_full_boxes_on_request_and_nothing_else_changes(data: Path, tmp_path: Path) -> None:
    make_synthetic(tmp_path / "full", num_train=60, num_val=0, num_test=0, box="full")
    visible, full = load(data, "train").anns, load(tmp_path / "full", "train").anns
    assert len(visible) == len(full)
    differ = 0
    for a, b in zip(visible.values(), full.values(), strict=True):
        assert b["bbox"] == b["bbox_full"] == a["bbox_full"]
        assert b["bbox_visible"] == a["bbox_visible"]
        differ += a["bbox"] != b["bbox"]
    assert differ > 10
    pictures = {k: v for k, v in digest(data / "train").items()}
    assert digest(tmp_path / "full" / "train") == pictures


def test_statistics_are_those_of_the_files(data: Path) -> None:
    info = json.loads((data / "info.json").read_text())
    facts = info["statistics"]["train"]
    pixels = np.stack([cv2.imread(str(p), -1) for p in (data / "train").glob("*.png")]).astype(
        float
    )
    assert facts["mean"] == pytest.approx(pixels.mean(), abs=0.01)
    assert facts["std"] == pytest.approx(pixels.std(), abs=0.01)
    coco = load(data, "train")
    plain = [a for a in coco.anns.values() if not a["iscrowd"]]
    assert facts["objects"] == len(plain) == sum(facts["objects_per_class"].values())
    best = []
    for a in plain:
        others = [b["bbox"] for b in plain if b["image_id"] == a["image_id"] and b is not a]
        best.append(max(mask.iou([a["bbox"]], others, [0] * len(others))[0]) if others else 0.0)
    for threshold in (0.1, 0.3, 0.5):
        share = float(np.mean(np.array(best) > threshold))
        assert facts["overlap_share"][str(threshold)] == pytest.approx(share, abs=1e-3)
    assert 0.25 < facts["overlap_share"]["0.1"] < 0.55


def test_second_run_with_the_same_settings_does_nothing(tmp_path: Path) -> None:
    first = make_synthetic(tmp_path / "a", **SMALL)
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "a").rglob("*")}
    assert make_synthetic(tmp_path / "a", **SMALL, workers=2) == first
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "a").rglob("*")} == times


def test_other_settings_are_named_and_replaced_on_request(tmp_path: Path) -> None:
    out = tmp_path / "a"
    make_synthetic(out, **SMALL)
    with pytest.raises(FileExistsError, match=r"seed: 0 there, 1 asked for.*--overwrite"):
        make_synthetic(out, **SMALL, seed=1)
    info = make_synthetic(out, **SMALL, seed=1, overwrite=True)
    assert info["settings"]["seed"] == 1
    assert json.loads((out / "info.json").read_text()) == info
    assert os.listdir(tmp_path) == ["a"]  # no leftovers


def test_a_data_set_with_missing_images_is_noticed(tmp_path: Path) -> None:
    make_synthetic(tmp_path / "a", **SMALL)
    (tmp_path / "a" / "train" / "train_00003.png").unlink()
    with pytest.raises(FileExistsError, match="train: 5 images there, 6 expected"):
        make_synthetic(tmp_path / "a", **SMALL)
    make_synthetic(tmp_path / "a", **SMALL, overwrite=True)
    assert (tmp_path / "a" / "train" / "train_00003.png").is_file()


def test_other_peoples_files_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        make_synthetic(tmp_path, **SMALL, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(FileExistsError, match="is a file"):
        make_synthetic(tmp_path / "notes.txt", **SMALL)


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise OSError("disk full")

    monkeypatch.setattr("mmthermal.synthetic.dataset.expose", broken)
    with pytest.raises(OSError, match="disk full"):
        make_synthetic(tmp_path / "a", **SMALL)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (dict(overlap=0.9), ValueError, r"overlap=0\.9: must lie in \[0, 0\.8\]"),
        (dict(seed=0.5), TypeError, r"seed=0\.5: an integer is needed"),
        (dict(workers=0), ValueError, "workers=0: must be at least 1"),
    ],
)
def test_bad_settings_raise_one_clear_error(
    tmp_path: Path, bad: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_synthetic(tmp_path / "a", **bad)
    assert os.listdir(tmp_path) == []


def test_preview_shows_pictures_with_boxes(tmp_path: Path) -> None:
    make_synthetic(tmp_path / "a", **SMALL, preview=True)
    sheet = cv2.imread(str(tmp_path / "a" / "preview.png"))
    assert sheet.shape == (242, 6 * 322, 3)
    coloured = np.ptp(sheet.astype(int), axis=2) > 60
    assert coloured.sum() > 200  # boxes


def test_tool_makes_the_data_set_and_reports_errors_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "make_synthetic.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    command = ["--out", str(tmp_path / "a"), "--num-train", "2", "--num-val", "1"]
    command += ["--num-test", "1", "--size", "96", "64"]
    assert tool.main(command) == 0
    assert "is ready" in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "a" / "train" / "train_00001.png"), -1).shape == (64, 96)
    assert tool.main([*command, "--seed", "4"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("make_synthetic: ") and error.count("\n") == 1
    assert "seed: 0 there, 4 asked for" in error


@pytest.mark.slow
def test_tool_runs_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "tools/make_synthetic.py", "--out", str(tmp_path / "a")]
    command += ["--num-train", "1", "--num-val", "0", "--num-test", "0"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a" / "train" / "train_00000.png").is_file()
