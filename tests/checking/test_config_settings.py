"""Settings that nobody reads are named before a training."""

from typing import Any

import pytest
from helpers_data import CONFIGS, config_names
from mmengine.config import Config

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.config_settings import check_settings, wrong_settings


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The default config and one of two stages, read once."""
    names = {
        "one": "thermal/retina_composite.py",
        "two": "faster_rcnn/faster_rcnn_composite_hituav160.py",
    }
    return {key: Config.fromfile(CONFIGS / name).pretty_text for key, name in names.items()}


@pytest.mark.parametrize("name", config_names())
def test_no_config_of_the_project_has_one(name: str) -> None:
    assert list(wrong_settings(Config.fromfile(CONFIGS / name))) == []


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
        ("one", "model.bbox_head.loss_composite.w_box", 1e38, "must lie in"),
        ("one", "model.bbox_head.loss_composite.w_cls", -1, "must lie in"),
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
    ],
)
def test_each_is_named_with_what_is_meant(
    texts: dict[str, str], which: str, key: str, value: Any, words: str
) -> None:
    cfg = Config.fromstring(texts[which], ".py")
    cfg.merge_from_dict({key: value})
    with pytest.raises(ValueError) as caught:
        check_settings(cfg)
    place = key.removesuffix(".interval").removesuffix(".type")
    lines = [line for line in str(caught.value).split("\n") if place in line]
    assert len(lines) == 1 and words in lines[0]


def test_all_weights_zero() -> None:
    model = dict(head=dict(loss_cls=dict(loss_weight=0.0), loss_composite=dict(w_cls=0, w_box=0)))
    found = list(wrong_settings(dict(model=model)))
    assert len(found) == 1 and found[0].startswith("all 3 weights of the losses")
    model["head"]["loss_cls"]["loss_weight"] = 1.0
    assert list(wrong_settings(dict(model=model))) == []


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
