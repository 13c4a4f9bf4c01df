"""Every config is a short delta that builds; tests/test_config_training.py trains them."""

import argparse
import copy
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_checking import clean
from helpers_data import CONFIGS, config_names, tiny_config, write_coco
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mmthermal.checking.pipelines import compare_pipelines, pipelines_of, value_steps
from mmthermal.checking.scales import compare_scales
from mmthermal.checking.table import make_table
from mmthermal.common.config import read_config
from mmthermal.engine import launch

NAMES = config_names()
FOLDERS = {"retina": "retinanet"} | {
    name: name for name in ("gfl", "vfnet", "atss", "fcos", "faster_rcnn", "cascade_rcnn")
}
LOSSES = (
    "focal_class_weight|focal|ce|composite_paper|composite_mined|composite_rpn|composite|"
    "ohem|ghm|qfl|varifocal"
)
CONVERTED = ("flir_v1", "flir_v2", "flir_aligned", "hituav", "iphd", "kaist", "llvip", "m3fd")
SCHEME = re.compile(
    rf"(?P<detector>{'|'.join(FOLDERS)})(?P<backbone>_r50_scratch|_r50)?_(?P<loss>{LOSSES})"
    rf"(?P<schedule>_\d+e)?_(?P<data>synthetic|hituav160|clutter|coco|{'|'.join(CONVERTED)})\.py"
)
TRAIN_CFG_KEYS = {"assigner", "sampler", "allowed_border", "pos_weight", "debug"}
# What a loss may change of a head; the sampler belongs to it, too.
LOSS_KEYS = {"type", "loss_composite", "loss_cls", "loss_bbox", "neg_ratio"}


@functools.cache
def _read_once(name: str) -> Config:
    return Config.fromfile(CONFIGS / name)


def read(name: str) -> Config:
    """A config of its own for each test, from one reading of the file."""
    return copy.deepcopy(_read_once(name))


def pairs() -> list[tuple[str, str]]:
    """Configs with another loss than their detector's own, each with its baseline."""
    found = []
    for name in NAMES:
        match = SCHEME.fullmatch(name.split("/")[1])
        if match is None or match["schedule"] == "_3e":
            continue
        if match["data"] in ("coco", "clutter", *CONVERTED):  # without a baseline
            continue
        own = "ce" if "rcnn" in match["detector"] else "focal"
        if match["loss"] in (own, "qfl", "varifocal", "composite_mined"):
            continue
        parts = (match[part] or "" for part in ("detector", "backbone", "schedule", "data"))
        detector, backbone, schedule, data = parts
        baseline = f"{detector}{backbone}_{own}{schedule}_{data}.py"
        found.append((name, f"{FOLDERS[detector]}/{baseline}"))
    return found


def without_downloads(cfg: Any) -> Any:
    """The config with no pretrained weights asked for, at any depth."""
    if isinstance(cfg, dict):
        if "checkpoint" in str(cfg.get("init_cfg", "")):
            cfg["init_cfg"] = None
        for value in cfg.values():
            without_downloads(value)
    return cfg


def dicts(node: Any) -> Iterator[dict]:
    """Every dict of a config, at any depth."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list | tuple):
        for value in node:
            yield from dicts(value)


@pytest.mark.parametrize("name", NAMES)
def test_training_and_validation_see_alike(name: str) -> None:
    """In values and sizes; and that can be told."""
    init_default_scope("mmdet")
    cfg, content = read(name), clean()
    for image in content["images"]:
        image.update(width=160, height=128)
    tables = dict.fromkeys(("train", "val", "test"), make_table(content))
    assert compare_pipelines(cfg) + compare_scales(cfg, tables) == []
    assert value_steps(pipelines_of(cfg, "train")[0]) is not None


def test_there_are_configs() -> None:
    assert "thermal/retina_composite.py" in NAMES  # where users call it
    for loss in ("focal", "focal_class_weight", "composite", "composite_paper"):
        assert f"retinanet/retina_{loss}_hituav160.py" in NAMES
        assert f"retinanet/retina_{loss}_24e_hituav160.py" in NAMES


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("thermal/")])
def test_name_follows_the_scheme(name: str) -> None:
    folder, file = name.split("/")
    match = SCHEME.fullmatch(file)
    assert match is not None
    assert folder == FOLDERS[match["detector"]]
    cfg = read(name)
    root = cfg.val_dataloader.dataset.data_root
    assert match["data"] in root
    if match["schedule"]:
        assert cfg.train_cfg.max_epochs == int(match["schedule"][1:-1])


def test_the_config_that_users_call_is_the_one_of_the_scheme() -> None:
    ours = read("thermal/retina_composite.py").to_dict()
    assert ours == read("retinanet/retina_composite_synthetic.py").to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_delta_is_short_and_holds_no_code(name: str) -> None:
    lines = (CONFIGS / name).read_text().splitlines()
    assert len(lines) <= 15
    assert lines[0].startswith("# ")
    for line in lines:
        assert not line.startswith(("import ", "from ", "def ", "for ", "if "))
        assert not line.lstrip().startswith(("/", "'/"))


@pytest.mark.parametrize("name", NAMES)
def test_config_builds_model_and_names_what_exists(name: str) -> None:
    init_default_scope("mmdet")
    cfg = read(name)
    assert "mmthermal" in cfg.custom_imports.imports
    model = MODELS.build(without_downloads(copy.deepcopy(cfg.model)))
    assert sum(p.numel() for p in model.parameters()) > 100_000
    for section in ("train_dataloader", "val_dataloader", "test_dataloader"):
        dataset = cfg[section].dataset
        assert DATASETS.get(dataset.type) is not None
        assert dataset.ann_file and dataset.data_prefix.img
    assert cfg.val_evaluator.ann_file.endswith(cfg.val_dataloader.dataset.ann_file)
    assert cfg.val_evaluator.ann_file.startswith(cfg.val_dataloader.dataset.data_root)
    # a resolved config can be written down and read again: the run folder holds one
    again = Config.fromstring(cfg.pretty_text, ".py")
    assert again.model.to_dict() == cfg.model.to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_no_part_of_a_config_is_left_beside_it(name: str) -> None:
    """An override of a part would do nothing."""
    keys = read(name).keys()
    assert not [key for key in keys if key.endswith("_delta") or key == "paper"]


@pytest.mark.parametrize("name", [name for name in NAMES if "_coco" not in name])
def test_the_number_of_classes_is_the_data_sets(name: str) -> None:
    cfg = read(name)
    counts = [part["num_classes"] for part in dicts(cfg.model.to_dict()) if "num_classes" in part]
    assert counts
    assert set(counts) == {cfg.num_classes}


def test_the_number_of_classes_is_said_once() -> None:
    said = [
        path.relative_to(CONFIGS).as_posix()
        for path in CONFIGS.glob("**/*.py")
        if re.search(r"num_classes *= *(\d|len)", path.read_text())
    ]
    assert sorted(said) == [
        f"_base_/datasets/{name}.py"
        for name in sorted(("clutter", "hituav160", "synthetic", *CONVERTED))
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if "retina" in name])
def test_every_train_cfg_key_is_read(name: str) -> None:
    cfg = read(name)
    assert set(cfg.model.train_cfg) <= TRAIN_CFG_KEYS


def test_every_pair_is_compared() -> None:
    assert len(pairs()) == 30
    assert (
        "cascade_rcnn/cascade_rcnn_composite_synthetic.py",
        "cascade_rcnn/cascade_rcnn_ce_synthetic.py",
    ) in pairs()


@pytest.mark.parametrize(("name", "baseline"), pairs())
def test_baseline_is_identical_but_for_the_loss(name: str, baseline: str) -> None:
    other, own = (read(path).to_dict() for path in (name, baseline))
    assert other["model"] != own["model"]
    assert "loss_composite" not in str(own["model"])
    assert ("loss_composite" in str(other["model"])) == (
        "composite" in name or "class_weight" in name or "retina_ohem" in name
    )
    for cfg in (other, own):
        for part in dicts(cfg["model"]):
            if "num_classes" in part or "anchor_generator" in part:  # a head
                for key in LOSS_KEYS:
                    part.pop(key, None)
            part.pop("sampler", None)
        if not cfg["model"].get("train_cfg"):  # FCOS has none without a sampler
            cfg["model"].pop("train_cfg", None)
    assert other == own


@pytest.mark.parametrize("data", ["synthetic", "hituav160"])
@pytest.mark.parametrize("detector", ["retina", "faster_rcnn"])
def test_paper_is_the_papers_loss_beside_the_dense_term(detector: str, data: str) -> None:
    name = f"{FOLDERS[detector]}/{detector}_composite_paper_{data}.py"
    model = read(name).model
    head = model.bbox_head if detector == "retina" else model.roi_head.bbox_head
    init_default_scope("mmdet")
    loss = MODELS.build(head).loss_composite
    assert (loss.combine["mean"], loss.f1_form, loss.f1_negatives) == ("paper", "soft", "paper")
    assert (loss.combine["f1_normalize"], loss.combine["f1_share"]) == ("count", 0.5)
    assert (loss.combine["beta"], loss.combine["cls_negatives"]) == (1.0, "separate")
    assert loss.box == {"form": "paper", "norm": "coordinate", "delta": 1.0}
    assert (loss.w_dense, loss.w_cls) == (1.0, 1.0)
    # A batch of a training: the F terms, divided by their counts, are above the floor of the mean.
    logits = torch.randn(3000, 3)
    parts = loss(
        logits[:1000],
        torch.randint(3, (1000,)),
        logits[1000:],
        box_sum=torch.zeros(()),
        dense_sum=torch.zeros(()),
    )
    assert parts["f1_pos"] * parts["f1_neg"] > 10 * loss.combine["eps"]


def test_variant_of_the_recipes_loads(tmp_path: Path) -> None:
    text = (CONFIGS.parent / "docs/recipes.md").read_text(encoding="utf-8")
    block = next(
        block
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        if "loss_delta" in block
    )
    (tmp_path / "mine.py").write_text(block.replace("'../", f"'{CONFIGS}/"))
    cfg = Config.fromfile(tmp_path / "mine.py")
    assert cfg.model.bbox_head.type == "CompositeRetinaHead"
    assert cfg.model.bbox_head.loss_composite.w_cls == 0.5


def test_names_in_the_recipes_are_those_of_configs() -> None:
    text = (CONFIGS.parent / "docs/recipes.md").read_text(encoding="utf-8")
    table = text.partition("## Which config")[2].partition("**R-50")[0]
    stems = re.findall(rf"`((?:{'|'.join(FOLDERS)})_(?:{LOSSES}))`", table)
    files = {name.split("/")[1] for name in NAMES}
    assert len(set(stems)) == 20
    for stem in stems:
        assert f"{stem}_hituav160.py" in files
        assert f"{stem}_synthetic.py" in files or stem == "retina_focal_class_weight"


@pytest.mark.parametrize("name", [name for name in NAMES if "rcnn" in name])
def test_two_stages_ignore_regions_in_images_without_objects(name: str) -> None:
    """But small nets on windows of HIT-UAV, whose results are measured (docs/results.md)."""
    train_cfg = read(name).model.train_cfg
    stages = train_cfg.rcnn if isinstance(train_cfg.rcnn, list) else [train_cfg.rcnn]
    own = [train_cfg.rpn] if train_cfg.rpn.assigner.ignore_iof_thr > 0 else []  # else mmdet's RPN
    assert bool(own) == ("r50" not in name)
    measured = "hituav160" in name and "r50" not in name
    wanted = {"MaxIoUAssigner" if measured else "IgnoreAwareMaxIoUAssigner"}
    assert {part.assigner.type for part in own + list(stages)} == wanted
    assert all(stage.assigner.ignore_iof_thr == 0.5 for stage in stages)


def test_class_weights_are_those_of_the_training_set() -> None:
    cfg = read("retinanet/retina_focal_class_weight_hituav160.py")
    loss = cfg.model.bbox_head.loss_composite
    counts = torch.tensor([4626.0, 2362.0, 1629.0])  # persons, vehicles, bicycles
    expected = counts.mean() / counts
    torch.testing.assert_close(
        torch.tensor(loss.dense_class_weight), expected, atol=0.005, rtol=0.0
    )
    assert loss.w_cls == 0


@pytest.mark.parametrize("name", CONVERTED)
def test_each_converted_set_has_one_config_of_either_kind(name: str) -> None:
    assert {
        f"faster_rcnn/faster_rcnn_composite_{name}.py",
        f"retinanet/retina_composite_{name}.py",
    } == {config for config in NAMES if config.endswith(f"_{name}.py")}


@pytest.mark.parametrize("epochs", [6, 10])
def test_cosine_ends_with_the_training(tmp_path: Path, epochs: int) -> None:
    """max_epochs is all that a training of another length takes."""
    data = write_coco(tmp_path / "data", splits={"train": 4, "val": 2, "test": 2})
    cfg = tiny_config("retinanet/retina_focal_hituav160.py", data)
    cfg.merge_from_dict({"train_cfg.max_epochs": epochs, "work_dir": str(tmp_path / "work")})
    cfg.train_dataloader.batch_size = 2
    cfg.visualizer.name = cfg.experiment_name = f"cosine_{epochs}"
    runner = Runner.from_cfg(cfg)
    loop = runner.build_train_loop(cfg.train_cfg)
    runner._train_loop = loop
    runner.optim_wrapper = runner.build_optim_wrapper(cfg.optim_wrapper)
    _, cosine = runner.build_param_scheduler(cfg.param_scheduler)
    assert (cosine.begin, cosine.end, cosine.T_max) == (0, 2 * epochs, 2 * epochs)
    assert not cosine.by_epoch


def test_jitter_keeps_one_channel_images_and_boxes_right(tmp_path: Path) -> None:
    init_default_scope("mmdet")
    data = write_coco(tmp_path / "data", splits={"train": 8, "val": 2, "test": 2})
    cfg = tiny_config("retinanet/retina_focal_24e_hituav160.py", data)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    sizes = set()
    for i in range(40):
        sample = dataset[i % len(dataset)]
        image, instances = sample["inputs"], sample["data_samples"].gt_instances
        channels, height, width = image.shape
        assert (channels, image.dtype) == (1, torch.float32)
        assert height <= 128 and width <= 160
        assert tuple(sample["data_samples"].img_shape[:2]) == (height, width)
        boxes = instances.bboxes.tensor if len(instances) else torch.zeros(0, 4)
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes[:, 2] <= width).all() and (boxes[:, 3] <= height).all()
        sizes.add((height, width))
    assert len(sizes) > 1


R50 = [name for name in NAMES if "r50" in name and "hituav160" in name]


@pytest.mark.parametrize("name", [name for name in R50 if "scratch" not in name])
def test_r50_takes_a_file_of_weights(name: str, tmp_path: Path) -> None:
    init_default_scope("mmdet")
    cfg = read(name)
    assert "torchvision" in cfg.model.backbone.init_cfg.checkpoint
    cfg.model.backbone.base_channels = 8  # a small file
    cfg.merge_from_dict({"model.backbone.init_cfg.checkpoint": str(tmp_path / "weights.pth")})
    weights = MODELS.build({**cfg.model.backbone, "init_cfg": None}).state_dict()
    torch.save(weights, tmp_path / "weights.pth")
    backbone = MODELS.build(cfg.model.backbone)
    assert not torch.equal(backbone.conv1.weight, weights["conv1.weight"])
    backbone.init_weights()
    assert torch.equal(backbone.conv1.weight, weights["conv1.weight"])
    assert not backbone.conv1.weight.requires_grad  # frozen: it has been trained


@pytest.mark.parametrize("name", [name for name in R50 if "scratch" in name])
def test_r50_from_scratch_needs_no_weights_and_freezes_nothing(name: str) -> None:
    init_default_scope("mmdet")
    backbone = MODELS.build(read(name).model.backbone)
    assert not backbone.init_cfg or "Pretrained" not in str(backbone.init_cfg)
    backbone.train()
    assert all(parameter.requires_grad for parameter in backbone.parameters())
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 53
    assert all(norm.training for norm in norms)


def test_r50_configs_are_both_cases_of_both_detectors() -> None:
    assert len(R50) == 8


# One config for each way in which the windows of HIT-UAV are loaded.
LOADED = {
    "retinanet/retina_focal_hituav160.py": 1,
    "retinanet/retina_focal_24e_hituav160.py": 1,
    "retinanet/retina_r50_focal_hituav160.py": 3,
}


@pytest.mark.skipif(
    not (CONFIGS.parents[1] / "shared/data/hituav160").is_dir(),
    reason="the data set ../shared/data/hituav160 is absent",
)
@pytest.mark.parametrize(("name", "channels"), LOADED.items())
def test_real_data_load_through_the_pipelines(
    name: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CONFIGS.parent)
    init_default_scope("mmdet")
    cfg = read(name)
    train = DATASETS.build(cfg.train_dataloader.dataset)
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert train.metainfo["classes"] == val.metainfo["classes"] == ("person", "vehicle", "bicycle")
    assert (len(train), len(val)) == (2291, 575)
    sample = train[0]
    assert sample["inputs"].shape[0] == channels
    assert sample["inputs"].dtype == torch.float32
    assert len(sample["data_samples"].gt_instances) + len(sample["data_samples"].ignored_instances)


@pytest.mark.parametrize("name", [name for name in NAMES if "hituav160" in name])
def test_real_data_are_loaded_in_one_of_these_ways(name: str) -> None:
    ways = [
        (way.train_dataloader.dataset, way.val_dataloader.dataset, way.test_dataloader.dataset)
        for way in map(read, LOADED)
    ]
    cfg = read(name)
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    assert tuple(loader.dataset for loader in loaders) in ways


def types(steps: list[dict]) -> list[str]:
    """Names of the transforms of a pipeline."""
    return [step["type"] for step in steps]


@pytest.mark.parametrize("name", NAMES)
def test_images_are_normalised_once(name: str) -> None:
    """In the pipeline or in the preprocessor, but not in both, and once."""
    cfg = read(name)
    mean, std = cfg.model.data_preprocessor.mean, cfg.model.data_preprocessor.std
    neutral = set(mean) == {0.0} and set(std) == {1.0}
    for section in ("train_dataloader", "val_dataloader", "test_dataloader"):
        names = types(cfg[section].dataset.pipeline)
        assert sum(name in ("NormalizeFrame", "Normalize") for name in names) == neutral, section


def test_tools_name_the_new_file_of_an_old_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONFIGS.parent)
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    launch.add_common_arguments(parser)
    args = parser.parse_args(["configs/thermal/hituav160_retina_focal.py"])
    for read_it in (lambda: launch.load_config(args), lambda: read_config(args.config)):
        with pytest.raises(FileNotFoundError, match="configs/retinanet/retina_focal_hituav160.py"):
            read_it()
