"""Settings that nobody reads are named before a training."""

from pathlib import Path
from typing import Any

import mmdet
import pytest
from helpers_data import CONFIGS, config_names
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.config_settings import (
    check_settings,
    unmatched_keys,
    wrong_settings,
)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The default config and one of two stages, read once."""
    names = {
        "none": "retinanet/retina_focal_synthetic.py",
        "one": "thermal/retina_composite.py",
        "two": "faster_rcnn/faster_rcnn_composite_hituav160.py",
    }
    return {key: Config.fromfile(CONFIGS / name).pretty_text for key, name in names.items()}


@pytest.mark.parametrize("name", config_names())
def test_no_config_of_the_project_has_one(name: str) -> None:
    assert list(wrong_settings(Config.fromfile(CONFIGS / name))) == []


@pytest.mark.parametrize("which", ["one", "two"])
def test_a_config_that_a_run_writes_has_none(which: str, texts: dict[str, str]) -> None:
    """Building a detector puts the settings of training and test into the config of its head."""
    cfg = Config.fromstring(texts[which], ".py")
    init_default_scope("mmdet")
    MODELS.build(cfg.model)
    head = cfg.model["bbox_head" if which == "one" else "roi_head"]
    assert head.train_cfg and head.test_cfg
    assert list(wrong_settings(cfg)) == []


@pytest.mark.parametrize(
    ("which", "key", "value", "words"),
    [
        ("one", "optim_wrapper.clip_grad.max_norm", -1, "more than 0"),
        ("one", "optim_wrapper.clip_grad.max_norm", float("nan"), "more than 0"),
        ("one", "optim_wrapper.optimizer.lr", 0, "more than 0"),
        ("one", "train_cfg.max_epochs", 0, "1, 2, 3"),
        ("one", "train_cfg.max_epochs", True, "1, 2, 3"),
        ("one", "train_cfg.max_epochs", "6", "1, 2, 3"),
        ("one", "train_dataloader.batch_size", 0, "1, 2, 3"),
        ("one", "model.bbox_head.loss_composite.w_box", 1e38, "must be in [0, 1e+06]"),
        ("one", "model.bbox_head.loss_composite.w_cls", -1, "must be in [0, 1e+06]"),
        ("one", "model.bbox_head.loss_composite.count_empty", "no", "without quotes"),
        ("one", "model.test_cfg.score_th", 0.1, "did you mean 'score_thr'"),
        ("two", "model.test_cfg.rcnn.score_th", 0.1, "did you mean 'score_thr'"),
        ("two", "model.test_cfg.rpn.nms_per", 9, "did you mean 'nms_pre'"),
        ("one", "train_dataloader.dataset.filter_cfg.filter_empty", True, "filter_empty_gt"),
        ("one", "train_dataloader.dataset.data_prefix.image", "x", "did you mean 'img'"),
        ("one", "optim_wrapper.paramwise_cfg.norm_decay_mul", 0, "norm_decay_mult"),
        ("one", "default_hooks.checkpont.interval", 2, "did you mean 'checkpoint'"),
        ("one", "default_hooks.save.type", "CheckpointHook", "did you mean 'checkpoint'"),
        ("one", "auto_scale_lr.base_batchsize", 2, "base_batch_size"),
        ("two", "model.train_cfg.rpn.sampler.neg_pos_upp", 3, "neg_pos_ub"),
        ("one", "model.bbox_head.train_cfg", dict(pos_weight=2), "replaced by model.train_cfg"),
        ("one", "model.bbox_head.bbox_coder.target_std", [1.0] * 4, "'target_stds'"),
        ("one", "model.bbox_head.bbox_coder.target_stds", [0.0] * 4, "more than 0"),
        ("one", "model.bbox_head.anchor_generator.ratios", [], "more than 0"),
        ("one", "model.bbox_head.anchor_generator.ratios", [-1.0], "more than 0"),
        ("one", "model.train_cfg.assigner.pos_iou_thr", 5.0, "in [0, 1]"),
        ("one", "model.train_cfg.assigner", dict(neg_iou_thr=0.9), "above pos_iou_thr"),
        ("one", "model.test_cfg.nms.iou_thresh", 0.5, "did you mean 'iou_thr"),
        ("one", "model.test_cfg.nms.iou_threshold", 7, "in [0, 1]"),
        ("one", "model.test_cfg.nms.type", "nmss", "did you mean 'nms'"),
        ("one", "model.test_cfg.score_thr", 1.5, "in [0, 1)"),
        ("one", "model.test_cfg.max_per_img", -5, "-1 for all"),
        ("one", "model.test_cfg.nms_pre", 0, "-1 for all"),
        ("one", "model.data_preprocessor.std", [0.0], "more than 0"),
        ("one", "model.data_preprocessor.mean", [float("nan")], "finite"),
        ("one", "train_dataloader.sampler.shuffle", "no", "without quotes"),
        ("one", "train_dataloader.pin_memory", "yes", "without quotes"),
        ("one", "train_dataloader.dataset.test_mode", True, "set it to False"),
        ("one", "train_dataloader.dataset.metainfo.classe", ["a"], "did you mean 'classes'"),
        ("one", "train_dataloader.dataset.metainfo.CLASSES", ["a"], "did you mean 'classes'"),
        ("one", "data_preprocessor", dict(mean=[5.0]), "replaced by model.data_preprocessor"),
        ("one", "val_cfg.fp16", "yes", "without quotes"),
        ("one", "optim_wrapper.clip_grad.max_nrm", 1, "did you mean 'max_norm'"),
        ("one", "optim_wrapper.clip_grad.norm_type", -2, "more than 0"),
        ("one", "optim_wrapper.paramwise_cfg.custom_keys", dict(neck=dict(lr_mul=1)), "'lr_mult'"),
        ("one", "optim_wrapper.paramwise_cfg.norm_decay_mult", -1, "at least 0"),
        ("one", "default_hooks.checkpoint.max_keep_ckpt", 3, "did you mean 'max_keep_ckpts'"),
        ("one", "default_hooks.checkpoint.max_keep_ckpts", 0, "-1 for all"),
        ("one", "default_hooks.checkpoint.interval", 0, "-1 for none"),
        ("one", "default_hooks.draw", dict(type="ThermalVisualizationHook"), "beside 'visual"),
        ("one", "env_cfg.cudnn_benchmrk", True, "did you mean 'cudnn_benchmark'"),
        ("one", "env_cfg.dist_cfg.timout", 3, "did you mean 'timeout'"),
        ("one", "auto_scale_lr.base_batch_size", 0, "1, 2, 3"),
        ("two", "model.train_cfg.rcnn.sampler.num", -5, "1, 2, 3"),
        ("two", "model.train_cfg.rcnn.sampler.pos_fraction", 3, "in [0, 1]"),
        ("two", "model.train_cfg.rpn_proposal.max_per_im", 3, "did you mean 'max_per_img'"),
        ("none", "model.train_cfg.sampler.neg_pos_ub", 3, "choose of none"),
        ("two", "model.train_cfg.rcn", dict(pos_weight=-1), "did you mean 'rcnn'"),
        ("two", "model.train_cfg.rpn.debugg", True, "did you mean 'debug'"),
        ("two", "model.test_cfg.rcnn.nms_pre", 5, "did you mean 'nms'"),
        ("two", "model.test_cfg.score_thr", 0.3, "choose of"),
        ("two", "model.roi_head.bbox_head.loss_bbox.loss_weight", float("nan"), "must be in"),
        ("two", "model.roi_head.stage_loss_weights", [0, 0, 0], "no stage is learnt"),
        ("one", "model.bbox_head.loss_cls.gamma", float("nan"), "at least 0"),
        ("one", "train_dataloader.dataset.pipeline.0.x", float("nan"), "is NaN"),
    ],
)
def test_each_is_named_with_what_is_meant(
    texts: dict[str, str], which: str, key: str, value: Any, words: str
) -> None:
    cfg = Config.fromstring(texts[which], ".py")
    cfg.merge_from_dict({key: value})
    with pytest.raises(ValueError) as caught:
        check_settings(cfg)
    place = key.replace("checkpont.interval", "checkpont").replace("save.type", "save")
    lines = [line for line in str(caught.value).split("\n") if place in line]
    assert len(lines) == 1 and words in lines[0]


def test_all_weights_zero() -> None:
    model = dict(head=dict(loss_cls=dict(loss_weight=0.0), loss_composite=dict(w_cls=0, w_box=0)))
    found = list(wrong_settings(dict(model=model)))
    assert len(found) == 1 and found[0].startswith("all 3 weights of the losses")
    for loss in ("loss_bbox", "loss_composite"):  # what is not written has its default
        others = dict(head=model["head"], roi_head=[{loss: dict(type="AnyLoss")}])
        assert not list(wrong_settings(dict(model=others)))
    model["head"]["loss_cls"]["loss_weight"] = 1.0
    assert list(wrong_settings(dict(model=model))) == []


def test_weights_that_leave_no_classification() -> None:
    head = dict(loss_composite=dict(w_dense=0, w_cls=0.0, w_box=1.0))
    (found,) = wrong_settings(dict(model=dict(bbox_head=head)))
    assert found.startswith("model.bbox_head.loss_composite: w_dense and w_cls are 0")


def test_an_empty_config_and_hooks_of_ones_own() -> None:
    assert list(wrong_settings({})) == []
    assert (
        list(
            wrong_settings(
                dict(
                    default_hooks=dict(
                        finite_check=dict(type="FiniteCheckHook"), ema=dict(type="EMAHook")
                    )
                )
            )
        )
        == []
    )


@pytest.mark.parametrize("name", ["timer", "channels_last", "agreement", "ema", "size_check"])
def test_hooks_are_switched_off_by_none(name: str, texts: dict[str, str]) -> None:
    cfg = Config.fromstring(texts["one"], ".py")
    cfg.merge_from_dict({f"default_hooks.{name}": None})
    assert list(wrong_settings(cfg)) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("tmer", "timer"), ("chanels_last", "channels_last"), ("visualisation", "visualization")],
)
def test_none_for_a_misspelt_hook(name: str, meant: str) -> None:
    (found,) = wrong_settings(dict(default_hooks={name: None}))
    assert found == f"default_hooks.{name}=None switches nothing off: did you mean {meant!r}?"


def test_custom_keys_are_in_a_parameters_name() -> None:
    keys = dict(bakbone=dict(lr_mult=0.1), neck=dict(lr_mult=0.1))
    cfg = dict(optim_wrapper=dict(paramwise_cfg=dict(custom_keys=keys)))
    found = list(unmatched_keys(cfg, ["backbone.conv1.weight", "neck.conv.bias"]))
    assert len(found) == 1 and "bakbone is in no" in found[0] and "'backbone'" in found[0]
    assert list(unmatched_keys({}, ["a"])) == []


@pytest.mark.slow
def test_mmdets_own_configs_pass() -> None:
    """Every fourth of them: what mmdet trains and tests is not refused."""
    paths = sorted((Path(mmdet.__file__).parent / ".mim" / "configs").glob("[!_]*/*.py"))
    read = 0
    for path in paths[::4]:
        try:
            cfg = Config.fromfile(path)
        except (FileNotFoundError, ImportError):
            continue  # some build on files or packages that are not installed
        assert list(wrong_settings(cfg)) == [], path
        read += 1
    assert read > 150
