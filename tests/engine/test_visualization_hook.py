"""Pictures of detections: 16-bit images get contrast, boxes lie where the objects are."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import HOOKS, VISUALIZERS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmthermal.common.gain import clahe
from mmthermal.datasets import GainControl
from mmthermal.engine import ThermalVisualizationHook

BOX = [[40.0, 20, 60, 50]]


@pytest.fixture(autouse=True)
def visualizer(own_visualizer: None) -> None:
    made = VISUALIZERS.build(dict(type="DetLocalVisualizer", name="test_hook"))
    made.dataset_meta = dict(classes=("person",), palette=[(230, 97, 0)])


def make_sample(path: Path, kind: type = np.uint16, score: float = 0.9) -> DetDataSample:
    """A warm object in a scene whose contrast is far below the 8 bits of a screen."""
    rng = np.random.default_rng(0)
    level, warm = (21000, 150) if kind is np.uint16 else (60, 120)
    image = rng.normal(level, 4, (80, 120))
    x0, y0, x1, y1 = map(int, BOX[0])
    image[y0:y1, x0:x1] += warm
    cv2.imwrite(str(path), image.astype(kind))
    boxes = torch.tensor(BOX)
    return DetDataSample(
        metainfo=dict(img_path=str(path), img_id=1, ori_shape=(80, 120)),
        gt_instances=InstanceData(bboxes=boxes, labels=torch.zeros(1, dtype=torch.long)),
        pred_instances=InstanceData(
            bboxes=boxes.clone(), labels=torch.zeros(1, dtype=torch.long),
            scores=torch.tensor([score]),
        ),
    )  # fmt: skip


def make_hook(**kwargs: Any) -> ThermalVisualizationHook:
    settings = dict(draw=True, test_out_dir="pictures", **kwargs)
    return HOOKS.build(dict(type="ThermalVisualizationHook", **settings))


def make_runner(tmp_path: Path) -> Any:
    return SimpleNamespace(work_dir=str(tmp_path), timestamp="now", iter=0)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_test_pictures_have_contrast_and_boxes(tmp_path: Path, kind: type) -> None:
    sample = make_sample(tmp_path / "a.png", kind)
    hook = make_hook()
    hook.after_test_iter(make_runner(tmp_path), 0, {}, [sample])
    picture = cv2.imread(str(tmp_path / "now" / "pictures" / "a.png"))
    # ground truth and predictions side by side, each enlarged by ceil(640 / 120) = 6
    assert picture.shape == (480, 1440, 3)
    for half in (picture[:, :720], picture[:, 720:]):
        inside = half[150:270, 270:330].mean()
        outside = half[10:60, 500:700].mean()
        assert inside > outside + 100, (inside, outside)  # the object is bright, the rest dark
        coloured = (half.max(2).astype(int) - half.min(2)) > 60  # only what was drawn has a colour
        rows, cols = coloured.nonzero()
        assert coloured[20 * 6 : 50 * 6].sum() > 100
        assert abs(cols.min() - 40 * 6) <= 6 and abs(rows.max() - 50 * 6) <= 8
    assert picture.std() > 30


def test_arrays_are_drawn_as_png(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED))
    array = sample.clone()
    array.set_metainfo(dict(img_path=str(tmp_path / "a.npy")))
    make_hook().after_test_iter(make_runner(tmp_path), 0, {}, [sample, array])
    drawn = sorted(path.name for path in (tmp_path / "now" / "pictures").iterdir())
    assert drawn == ["a.npy.png", "a.png"]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("loop", ["test", "val"])
def test_shown_is_the_gain_control_of_the_pipeline(
    tmp_path: Path, loop: str, wrapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = make_sample(tmp_path / "a.png")
    hook = make_hook(min_side=1)
    runner = make_runner(tmp_path)
    pipeline = SimpleNamespace(transforms=[GainControl(method="clahe")])
    dataset = SimpleNamespace(pipeline=pipeline)
    loader = SimpleNamespace(dataset=SimpleNamespace(datasets=[dataset]) if wrapped else dataset)
    setattr(runner, f"{loop}_dataloader", loader)
    pictures = []
    monkeypatch.setattr(
        hook._visualizer, "add_datasample", lambda name, image, **kwargs: pictures.append(image)
    )
    getattr(hook, f"after_{loop}_iter")(runner, 0, {}, [sample])
    stored = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(pictures[0][..., 0], clahe(stored).round().astype(np.uint8))


def test_the_sample_is_not_changed(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "a.png")
    make_hook().after_test_iter(make_runner(tmp_path), 0, {}, [sample])
    assert sample.pred_instances.bboxes.tolist() == BOX
    assert sample.gt_instances.bboxes.tolist() == BOX


def test_draws_all_of_a_batch_up_to_the_limit(tmp_path: Path) -> None:
    samples = [make_sample(tmp_path / f"{i}.png") for i in range(5)]
    hook = make_hook(max_pictures=3, min_side=1)
    runner = make_runner(tmp_path)
    hook.after_test_iter(runner, 0, {}, samples[:2])
    hook.after_test_iter(runner, 1, {}, samples[2:])
    drawn = sorted(p.name for p in (tmp_path / "now" / "pictures").iterdir())
    assert drawn == ["0.png", "1.png", "2.png"]


def test_all_and_none(tmp_path: Path) -> None:
    samples = [make_sample(tmp_path / f"{i}.png") for i in range(3)]
    for number, expected in ((-1, 3), (0, 0)):
        hook = make_hook(max_pictures=number, min_side=1)
        runner = make_runner(tmp_path / str(number))
        hook.after_test_iter(runner, 0, {}, samples)
        folder = tmp_path / str(number) / "now" / "pictures"
        assert len(list(folder.glob("*.png"))) == expected


def test_draws_nothing_unless_asked(tmp_path: Path) -> None:
    hook = HOOKS.build(dict(type="ThermalVisualizationHook", test_out_dir="pictures"))
    sample = make_sample(tmp_path / "a.png")
    hook.after_test_iter(make_runner(tmp_path), 0, {}, [sample])
    hook.after_val_iter(make_runner(tmp_path), 0, {}, [sample])
    assert not (tmp_path / "now").exists()


def test_validation_draws_every_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = make_hook(interval=2)
    drawn = []
    monkeypatch.setattr(
        hook._visualizer,
        "add_datasample",
        lambda name, *args, **kwargs: drawn.append((name, kwargs["step"])),
    )
    sample = make_sample(tmp_path / "a.png")
    runner = make_runner(tmp_path)
    for runner.iter in (0, 2):  # batch 2 of the first validation and 0 of the second: both 2
        for batch in range(5):
            hook.after_val_iter(runner, batch, {}, [sample])
    assert drawn == [(f"val_img_{batch}", step) for step in (0, 2) for batch in (0, 2, 4)]


@pytest.mark.parametrize("roots", [["data"], ["data/day", "data/night"]])
def test_files_of_one_name_in_different_folders_stay_apart(
    tmp_path: Path, roots: list[str]
) -> None:
    samples = []
    for folder in ("day", "night"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        samples.append(make_sample(tmp_path / "data" / folder / "000.png"))
    sets = [SimpleNamespace(data_prefix=dict(img=str(tmp_path / root))) for root in roots]
    runner = make_runner(tmp_path)
    runner.test_dataloader = SimpleNamespace(dataset=SimpleNamespace(datasets=sets))
    make_hook(min_side=1).after_test_iter(runner, 0, {}, samples)
    folder = tmp_path / "now" / "pictures"
    drawn = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    assert drawn == ["day/000.png", "night/000.png"]


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_colour_files_are_drawn_in_their_colours(
    tmp_path: Path, kind: type, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the RGBA files of matplotlib's imsave."""
    blue, rest = (250, 0) if kind is np.uint8 else (64000, 0)
    image = np.full((80, 120, channels), rest, kind)
    image[..., 0] = blue  # BGR
    image[..., 3:] = np.iinfo(kind).max
    hook = make_hook(min_side=1)
    sample = make_sample(tmp_path / "a.png")
    cv2.imwrite(str(tmp_path / "a.png"), image)
    drawn = []
    monkeypatch.setattr(
        hook._visualizer, "add_datasample", lambda *args, **_: drawn.append(args[1])
    )
    hook.after_val_iter(make_runner(tmp_path), 0, {}, [sample])
    (picture,) = drawn
    assert picture.shape == (80, 120, 3)
    assert (picture[..., 2] > 200).all() and (picture[..., :2] == 0).all()  # RGB


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (dict(max_pictures=-2), ValueError),
        (dict(min_side=0), ValueError),
        (dict(max_pictures=1.5), TypeError),
        (dict(max_picture=1), TypeError),
    ],
)
def test_refuses_wrong_settings(settings: dict, error: type[Exception]) -> None:
    with pytest.raises(error, match="max_picture|min_side"):
        make_hook(**settings)


def test_validation_draws_every_so_many_iterations_as_mmdet_counts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, runner = make_hook(interval=3), make_runner(tmp_path)
    runner.iter = 4
    names = []
    monkeypatch.setattr(hook, "_draw_sample", lambda sample, name, *_: names.append(name))
    for batch in range(6):
        hook.after_val_iter(runner, batch, {}, [make_sample(tmp_path / "a.png")])
    assert names == ["val_img_2", "val_img_5"]


@pytest.mark.parametrize("loop", ["test", "val"])
def test_the_score_threshold_reaches_the_pictures(
    tmp_path: Path, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make_hook(score_thr=0.7)
    seen = []
    monkeypatch.setattr(
        hook._visualizer, "add_datasample", lambda *_, **k: seen.append(k["pred_score_thr"])
    )
    sample = make_sample(tmp_path / "a.png")
    getattr(hook, f"after_{loop}_iter")(make_runner(tmp_path), 0, {}, [sample])
    assert seen == [0.7]
