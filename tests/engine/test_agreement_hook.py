"""A run whose parts do not agree stops before its first iteration."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from helpers_data import CONFIGS, data_options, tiny_config, write_coco
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmthermal.common.checks import InputError
from mmthermal.engine import AgreementHook

CLASSES = ("person", "vehicle", "bicycle")


@pytest.fixture(autouse=True)
def scope() -> None:
    init_default_scope("mmdet")  # of the sets inside of mmengine's wrappers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "set", splits={"train": 5, "val": 4}, bits=8)


def edit(root: Path, split: str, change: Callable[[dict], Any]) -> None:
    path = root / f"annotations/{split}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def renumber(content: dict) -> None:
    """The same objects, with the classes in another order."""
    content["categories"] = [
        dict(id=i, name=name) for i, name in enumerate(("vehicle", "person", "bicycle"), 1)
    ]
    for annotation in content["annotations"]:
        annotation["category_id"] = {1: 2, 2: 1, 3: 3}[annotation["category_id"]]


def dataset(root: Path, split: str, **settings: Any) -> dict:
    return dict(
        type="ThermalCocoDataset",
        data_root=f"{root}/",
        ann_file=f"annotations/{split}.json",
        data_prefix=dict(img=f"{split}/"),
        pipeline=[],
        **settings,
    )


def loop(cfg: dict, ann_file: Path | None = None) -> SimpleNamespace:
    """The data set and the metric of a loop, as mmengine keeps them."""
    metric = METRICS.build(
        dict(type="CocoMetric", ann_file=None if not ann_file else str(ann_file))
    )
    return SimpleNamespace(
        dataloader=SimpleNamespace(dataset=DATASETS.build(cfg)),
        evaluator=SimpleNamespace(metrics=[metric]),
    )


def runner(ann_file: Path | None = None, **loops: Any) -> Any:
    evaluator = dict(type="CocoMetric", ann_file=str(ann_file))
    cfg = Config(dict(val_evaluator=evaluator, test_evaluator=[evaluator]))
    loops = {"train_loop": None, "val_loop": None, "test_loop": None, **loops}
    return SimpleNamespace(
        cfg=cfg,
        hooks=[],
        model=torch.nn.Identity(),
        _train_loop=loops["train_loop"],
        _resume=False,
        **loops,
    )


def test_what_agrees_passes(root: Path) -> None:
    file = root / "annotations/val.json"
    val = loop(dataset(root, "val", test_mode=True), file)
    hook = AgreementHook()
    hook.before_train(runner(file, train_loop=loop(dataset(root, "train")), val_loop=val))
    hook.after_load_checkpoint(runner(), dict(meta=dict(dataset_meta=dict(classes=CLASSES))))
    hook.before_test(runner(file, test_loop=val))
    hook.before_val(runner(file, val_loop=val))
    hook.after_load_checkpoint(runner(), dict(state_dict={}))  # weights without a word on classes
    hook.before_test(runner(file, test_loop=val))


def test_classes_of_training_and_validation(root: Path) -> None:
    edit(root, "val", renumber)
    run = runner(
        train_loop=loop(dataset(root, "train")), val_loop=loop(dataset(root, "val", test_mode=True))
    )
    with pytest.raises(ValueError, match=r"(?s)train has the classes person, vehicle.*accept="):
        AgreementHook().before_train(run)
    AgreementHook(accept="classes-differ").before_train(run)


@pytest.mark.parametrize("when", ["before_test", "before_val", "before_train"])
def test_classes_of_the_checkpoint(root: Path, when: str) -> None:
    hook = AgreementHook()
    meta = dict(dataset_meta=dict(classes=("vehicle", "person", "bicycle")))
    hook.after_load_checkpoint(runner(), dict(meta=meta))
    own = loop(dataset(root, "val", test_mode=True))
    name = when.replace("before_", "") + "_loop"
    run = runner(**{name: own})
    if when == "before_train":
        hook.before_train(run)  # fine-tuning on other classes is what load_from is for
        run._resume = True
    with pytest.raises(ValueError, match="the checkpoint has the classes vehicle, person"):
        getattr(hook, when)(run)


def test_an_evaluator_of_another_file(root: Path) -> None:
    file = root / "annotations/train.json"
    val = loop(dataset(root, "val", test_mode=True), file)
    with pytest.raises(ValueError, match=r"test: 1 of 5 images of the evaluator's file"):
        AgreementHook().before_test(runner(file, test_loop=val))
    with pytest.raises(ValueError, match=r"val: 1 of 5 images of the evaluator's file"):
        AgreementHook().before_train(runner(file, train_loop=loop(dataset(root, "train")),
                                            val_loop=val))  # fmt: skip


def test_an_evaluator_that_numbers_the_classes_otherwise(root: Path) -> None:
    other = root / "annotations/other.json"
    other.write_text((root / "annotations/val.json").read_text())
    edit(root, "other", renumber)
    val = loop(dataset(root, "val", test_mode=True), other)
    with pytest.raises(ValueError, match="the file of test_evaluator has vehicle, person"):
        AgreementHook().before_test(runner(other, test_loop=val))


def test_a_misspelt_code() -> None:
    with pytest.raises(ValueError, match=r"default_hooks\.agreement\.accept.*'classes-differ'"):
        AgreementHook(accept=["clases-differ"])


def test_text_ids_and_the_metric_of_mmdet(root: Path) -> None:
    edit(root, "val", lambda c: [a.update(id=f"uuid-{a['id']}") for a in c["annotations"]])
    file = root / "annotations/val.json"
    val = loop(dataset(root, "val", test_mode=True), file)
    with pytest.raises(ValueError, match="OverlapCocoMetric"):
        AgreementHook().before_test(runner(file, test_loop=val))
    val.evaluator.metrics = [METRICS.build(dict(type="OverlapCocoMetric", ann_file=str(file)))]
    AgreementHook().before_test(runner(file, test_loop=val))


def test_joined_sets(root: Path, tmp_path: Path) -> None:
    second = write_coco(tmp_path / "second", splits={"train": 3, "val": 4}, bits=8, seed=1)

    def both(split: str) -> dict:
        parts = [dataset(place, split, test_mode=split == "val") for place in (root, second)]
        return dict(
            type="RepeatDataset", times=2, dataset=dict(type="ConcatDataset", datasets=parts)
        )

    file = root / "annotations/val.json"
    val = loop(both("val")["dataset"], file)
    with pytest.raises(ValueError, match="4 pairs of images have one id"):
        AgreementHook().before_test(runner(file, test_loop=val))
    AgreementHook().before_test(runner(test_loop=loop(both("val")["dataset"])))  # no file: its own
    AgreementHook().before_train(runner(train_loop=loop(both("train"))))

    edit(second, "train", renumber)
    with pytest.raises(ValueError, match="train, set 2 has vehicle, person, bicycle"):
        AgreementHook().before_train(runner(train_loop=loop(both("train"))))


def test_joined_sets_with_a_metric_for_each(root: Path, tmp_path: Path) -> None:
    """mmdet's MultiDatasetsEvaluator: the same ids in both files are right."""
    second = write_coco(tmp_path / "second", splits={"val": 3}, bits=8, seed=1)
    files = [place / "annotations/val.json" for place in (root, second)]
    parts = [dataset(place, "val", test_mode=True) for place in (root, second)]
    val = loop(dict(type="ConcatDataset", datasets=parts))
    metrics = [METRICS.build(dict(type="CocoMetric", ann_file=str(file))) for file in files]
    val.evaluator = SimpleNamespace(metrics=metrics, dataset_prefixes=["first", "second"])
    AgreementHook().before_test(runner(test_loop=val))
    val.evaluator.metrics = metrics[::-1]
    with pytest.raises(ValueError, match="not in the evaluator's file"):
        AgreementHook().before_test(runner(test_loop=val))


@pytest.mark.parametrize("split", ["train", "val"])
def test_pictures_that_are_not_there(root: Path, split: str) -> None:
    def parts(**loading: Any) -> Any:
        load = [dict(type="LoadThermalImage", **loading)]
        sets = {
            name: {**dataset(root, name, test_mode=name == "val"), "pipeline": load}
            for name in ("train", "val")
        }
        both = dict(type="ConcatDataset", datasets=[sets["train"]])
        return runner(train_loop=loop(both), val_loop=loop(sets["val"]))

    AgreementHook().before_train(parts())
    sorted((root / split).iterdir())[1].unlink()
    with pytest.raises(ValueError, match=rf"{split}: 1 of [45] pictures don't exist.*missing-im"):
        AgreementHook().before_train(parts())
    AgreementHook(accept="missing-image").before_train(parts())
    AgreementHook().before_train(parts(ignore_empty=True))


@pytest.mark.parametrize("name", ["coco/bbox_map", "bbox_mAP"])
def test_a_figure_that_no_metric_gives(root: Path, tmp_path: Path, name: str) -> None:
    best = {"default_hooks__checkpoint__save_best": name}
    cfg = tiny_config("retinanet/retina_focal_synthetic.py", root, **best)
    cfg.work_dir, cfg.launcher, cfg.experiment_name = str(tmp_path / "w"), "none", f"best{name}"
    run = Runner.from_cfg(cfg)
    with pytest.raises(ValueError, match=r"did you mean 'coco/bbox_mAP'\?.*\[unknown-figure\]"):
        run.train()
    assert run.iter == 0


def test_a_run_stops_before_its_first_iteration(root: Path, tmp_path: Path) -> None:
    edit(root, "val", renumber)
    cfg = tiny_config("retinanet/retina_focal_synthetic.py", root)
    cfg.work_dir, cfg.launcher, cfg.experiment_name = str(tmp_path / "work"), "none", "agreement"
    run = Runner.from_cfg(cfg)
    with pytest.raises(ValueError, match=r"\[classes-differ\]"):
        run.train()
    assert run.iter == 0


@pytest.mark.parametrize(("number", "stops"), [(2, True), (80, False)])
def test_heads_where_mmdets_hook_is_missing(
    root: Path, number: int, stops: bool, said: list[str]
) -> None:
    """Fewer classes than the data has are an error, more, as mmdet's 80, are said."""
    head = torch.nn.Module()
    head.num_classes = number
    run = runner(train_loop=loop(dataset(root, "train")))
    run.model = torch.nn.ModuleDict(dict(bbox_head=head))
    if stops:
        with pytest.raises(InputError, match=r"num_classes=2; train has 3 .*num-classes-differ"):
            AgreementHook().before_train(run)
    else:
        AgreementHook().before_train(run)
        assert any("bbox_head.num_classes=80; train has 3 classes" in line for line in said)


def test_other_pipelines_and_a_long_warm_up_are_said(root: Path, said: list[str]) -> None:
    run = runner(train_loop=loop(dataset(root, "train")))
    run.train_loop.max_iters = 13
    run.cfg.param_scheduler = [dict(type="LinearLR", by_epoch=False, begin=0, end=97)]
    for name, step in (("train", "NormalizeFrame"), ("val", "Normalize")):
        steps = [dict(type="LoadThermalImage"), dict(type=step)]
        run.cfg[f"{name}_dataloader"] = dict(dataset=dict(pipeline=steps))
    AgreementHook(accept=["pipelines-differ", "long-warm-up"]).before_train(run)
    assert said == []
    AgreementHook().before_train(run)
    assert sorted(line.rpartition(" ")[2] for line in said) == [
        "[long-warm-up]",
        "[pipelines-differ]",
    ]


def with_steps(tmp_path: Path, bits: int, *steps: dict) -> Any:
    """A run whose training set has these transforms."""
    root = write_coco(tmp_path / "own", splits={"train": 3}, bits=bits)
    settings = dataset(root, "train") | dict(pipeline=[*steps])
    run = runner(train_loop=loop(settings))
    run.cfg.train_dataloader = dict(dataset=settings)
    return run


def test_fills_far_from_the_first_picture_are_said(tmp_path: Path, said: list[str]) -> None:
    load, frame = dict(type="LoadThermalImage"), dict(type="NormalizeFrame")
    moved = dict(type="RandomAffine")
    run = with_steps(tmp_path, 16, load, moved, frame)
    said.clear()
    AgreementHook(accept="fill-does-not-fit").before_train(run)
    assert said == []
    AgreementHook().before_train(run)
    (line,) = said
    level = float(load_first(run).mean())
    assert "train_dataloader: RandomAffine fills with 114 where the pictures have the mean" in line
    assert f"set border_val=({round(level)}, " in line and line.endswith("[fill-does-not-fit]")
    fits = with_steps(tmp_path / "8", 8, load, moved, frame)
    said.clear()
    AgreementHook().before_train(fits)
    assert said == []
    # without a picture that can be read
    missing = with_steps(tmp_path / "none", 16, load, frame, moved)
    (tmp_path / "none/own/train/000.png").write_bytes(b"no picture")
    said.clear()
    AgreementHook().before_train(missing)
    assert [line.partition(":")[2].split(",")[0] for line in said] == [
        " RandomAffine fills with 114 behind NormalizeFrame"
    ]


@pytest.mark.parametrize("wrapper", [None, "RepeatDataset"])
def test_values_that_no_network_can_take_are_said(
    tmp_path: Path, said: list[str], wrapper: str | None
) -> None:
    """Measured behind the model's own data preprocessor, and no random number is drawn."""
    load, frame = dict(type="LoadThermalImage"), dict(type="NormalizeFrame")
    run = with_steps(tmp_path, 16, load, frame, dict(type="RandomContrastBrightness"))
    if wrapper:
        settings = run.cfg.train_dataloader.dataset
        run.cfg.train_dataloader.dataset = dict(type=wrapper, times=2, dataset=settings)
        run.train_loop = loop(run.cfg.train_dataloader.dataset)
    said.clear()
    run.model.data_preprocessor = MODELS.build(dict(type="DetDataPreprocessor"))
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    AgreementHook().before_train(run)
    assert said == []
    eight_bits = dict(type="DetDataPreprocessor", mean=[123.675], std=[58.395])
    run.model.data_preprocessor = MODELS.build(eight_bits)
    AgreementHook(accept="normalisation-does-not-fit").before_train(run)
    assert said == []
    AgreementHook().before_train(run)
    (line,) = said
    assert "the network gets values of mean -2.1" in line and "3 training pictures" in line
    assert line.endswith("[normalisation-does-not-fit]")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


def test_every_joined_set_is_measured(tmp_path: Path, said: list[str]) -> None:
    """Counts of one camera and 8 bits of another, under the fixed numbers of the second."""
    fixed = dict(type="Normalize", mean=[100.0], std=[40.0], to_rgb=False)
    load = dict(type="LoadThermalImage")
    runs = [with_steps(tmp_path / str(bits), bits, load, fixed) for bits in (8, 16)]
    joined = dict(type="ConcatDataset", datasets=[run.cfg.train_dataloader.dataset for run in runs])
    run = runner(train_loop=loop(joined))
    run.cfg.train_dataloader = dict(dataset=joined)
    said.clear()
    AgreementHook().before_train(run)
    (line,) = said
    assert "train_dataloader (set 2), model.data_preprocessor" in line
    assert line.endswith("[normalisation-does-not-fit]")


def test_a_validation_on_the_training_is_said(root: Path, said: list[str]) -> None:
    run = runner(train_loop=loop(dataset(root, "train")))
    run.cfg.train_dataloader = dict(dataset=dataset(root, "train"))
    for name in ("val", "test"):
        run.cfg[f"{name}_dataloader"] = dict(dataset=dataset(root, "val"))
    said.clear()
    AgreementHook().before_train(run)
    assert said == []
    run.cfg.val_dataloader = run.cfg.train_dataloader
    AgreementHook(accept="val-is-train").before_train(run)
    assert said == []
    AgreementHook().before_train(run)
    (line,) = said
    assert line.startswith("train_dataloader, val_dataloader: val reads ")
    assert line.endswith("[val-is-train]")


def load_first(run: Any) -> Any:
    part = run.train_loop.dataloader.dataset
    return part.pipeline.transforms[0](part.get_data_info(0))["img"]


def test_transforms_for_8_bits_are_refused_by_the_first_picture(tmp_path: Path) -> None:
    load = dict(type="LoadThermalImage", channels=3)
    bright = dict(type="Brightness", prob=1.0)
    run = with_steps(tmp_path, 16, load, bright)
    with pytest.raises(InputError, match=r"Brightness is made for 8-bit colour.*values up to \d+"):
        AgreementHook().before_train(run)
    AgreementHook().before_train(with_steps(tmp_path / "8", 8, load, bright))
    switched = with_steps(tmp_path / "switched", 16, load)
    hook = dict(type="PipelineSwitchHook", switch_pipeline=[load, bright])
    switched.cfg.custom_hooks = [hook]
    with pytest.raises(InputError, match=r"Brightness is made for"):
        AgreementHook().before_train(switched)


@pytest.mark.parametrize("detector", ["retinanet/retina_focal", "faster_rcnn/faster_rcnn_ce"])
def test_heads_of_another_number_of_classes(root: Path, tmp_path: Path, detector: str) -> None:
    cfg = Config.fromfile(CONFIGS / f"{detector}_synthetic.py")
    cfg.merge_from_dict(data_options(root))
    head = cfg.model.bbox_head if "bbox_head" in cfg.model else cfg.model.roi_head.bbox_head
    head.num_classes = 5
    cfg.work_dir, cfg.launcher = str(tmp_path / "work"), "none"
    cfg.experiment_name = f"heads_{detector[:4]}"
    run = Runner.from_cfg(cfg)
    with pytest.raises(InputError) as caught:
        run.train()
    text = str(caught.value)
    assert "bbox_head.num_classes=5; train has 3 classes (person, vehicle, bicycle)" in text
    assert "bbox_head.num_classes=3 [num-classes-differ]" in text and "accept=" not in text
    assert run.iter == 0
