"""Configs are read with overrides, and what is misspelt is refused."""

import gc
import sys
import time
import warnings
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction

from mmthermal.common.config import check_option_keys, parse_options, read_config

CONFIG = """
model = dict(type='RetinaNet', bbox_head=dict(num_classes=3))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
auto_scale_lr = dict(enable=False, base_batch_size=16)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CONFIG)
    return tmp_path / "mine.py"


def test_what_setuptools_says_to_mmengine_is_not_shown(path: Path) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        read_config(path)
        warnings.warn("pkg_resources is deprecated as an API. See …", stacklevel=1)
        warnings.warn("another", stacklevel=1)
    assert [str(warning.message) for warning in seen] == ["another"]


def test_threads_that_read_at_once_take_turns(path: Path) -> None:
    def lets_the_other_thread_run(phase: str, info: dict[str, int]) -> None:
        time.sleep(1e-4)

    old = gc.get_threshold()
    gc.callbacks.append(lets_the_other_thread_run)
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(4) as pool:
            read = list(
                pool.map(lambda seed: read_config(path, {"randomness": {"seed": seed}}), range(40))
            )
    finally:
        gc.set_threshold(*old)
        gc.callbacks.remove(lets_the_other_thread_run)
    assert [cfg.randomness.seed for cfg in read] == list(range(40))


def test_options_may_hold_dicts(path: Path) -> None:
    backends = "[{'type':'LocalVisBackend'},{'type':'TensorboardVisBackend','save_dir':'x'}]"
    options = [
        f"custom_hooks={backends}",
        "model.a={'b':1}",
        "model.c=[1,(2,3)]",
        "model.d={{name}}/e",
    ]
    cfg = read_config(path, options)
    kinds = [hook["type"] for hook in cfg.custom_hooks]
    assert kinds == ["LocalVisBackend", "TensorboardVisBackend"]
    assert cfg.custom_hooks[1].save_dir == "x"
    assert cfg.model.a == dict(b=1)
    assert cfg.model.c == [1, (2, 3)]
    assert cfg.model.d == "{{name}}/e"
    assert cfg.model.type == "RetinaNet"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("modle.bbox_head.num_classes=2", "no 'modle': did you mean 'model'"),
        ("optimwrapper.optimizer.lr=1", "did you mean 'optim_wrapper'"),
        ("zzz=1", "no 'zzz': it has .*model"),
        ("cfg.model.x=2", r"no 'cfg': leave out 'cfg\.' at its start: model\.x"),
        ("lr=1", r"no 'lr': set optim_wrapper\.optimizer\.lr"),
    ],
)
def test_misspelt_section_names_the_nearest(path: Path, option: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_config(path, [option])


@pytest.mark.parametrize(
    "option", ["resume=True", "load_from=x.pth", "randomness.seed=3", "param_scheduler.0.end=5"]
)
def test_sections_that_the_runner_knows_may_be_added(path: Path, option: str) -> None:
    check_option_keys(parse_options([option]), Config.fromfile(path))


LISTS = """
param_scheduler = [dict(type='LinearLR'), dict(type='MultiStepLR', milestones=[8, 11])]
custom_hooks = [dict(type='EMAHook')]
val_evaluator = []
tta_pipeline = [dict(type='Resize', scale=(9, 9))]
"""


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("param_scheduler.milestones=[8,11]",
         r"param_scheduler is a list with 2 entries: write param_scheduler\.0 to "
         r"param_scheduler\.1 for param_scheduler\.milestones"),
        ("param_scheduler.-1.end=3", r"param_scheduler is a list with 2 entries"),
        ("param_scheduler.2.end=3", r"to param_scheduler\.1 for param_scheduler\.2$"),
        ("custom_hooks.priority=3", r"a list with 1 entry: write custom_hooks\.0 for"),
        ("val_evaluator.0.metric=bbox", r"an empty list: write val_evaluator=\[…\]"),
        ("param_scheduler.1.milestones.0=7", r"write param_scheduler\.1\.milestones=\[…\]"),
        ("custom_hooks.0=EMAHook", r"no entry can be replaced alone: write custom_hooks=\[…\]"),
        ("model.bbox_head.num_classes.x=3", r"num_classes is 3, which has no parts: write model"),
        ("tta_pipeline.0.scale.1=3", r"tta_pipeline\.0\.scale is \(9, 9\), which has no parts"),
    ],
)  # fmt: skip
def test_a_place_that_is_not_there_is_named(path: Path, option: str, message: str) -> None:
    path.write_text(CONFIG + LISTS)
    with pytest.raises(ValueError, match=message) as caught:
        read_config(path, [option])
    assert str(caught.value).startswith(f"--cfg-options {option.partition('=')[0]}=")


def test_entries_of_lists_and_deleted_places_are_overridden(path: Path) -> None:
    path.write_text(CONFIG + LISTS)
    options = {
        "param_scheduler.1.milestones": [3],
        "param_scheduler.0": dict(end=5),
        "custom_hooks._delete_": True,
        "custom_hooks.type": "EMAHook",
        "model.bbox_head.num_classes._delete_": True,
        "model.bbox_head.num_classes.x": 1,
    }
    cfg = read_config(path, options)
    assert cfg.param_scheduler == [
        dict(type="LinearLR", end=5),
        dict(type="MultiStepLR", milestones=[3]),
    ]
    assert cfg.custom_hooks == dict(type="EMAHook")
    assert cfg.model.bbox_head.num_classes == dict(x=1)


def test_options_without_dicts_are_parsed_as_mmengine_does() -> None:
    words = ["a.b=1", "c=[1,2]", "d=x", "e=[(1,2.5),x]", "f=none", "g=a=b", "h=1,2"]
    parser = ArgumentParser()
    parser.add_argument("--cfg-options", nargs="+", action=DictAction)
    assert parse_options(words) == parser.parse_args(["--cfg-options", *words]).cfg_options
    assert parse_options(["a.b=1", "g=a=b"]) == {"a.b": 1, "g": "a=b"}
    assert parse_options([]) == {}


def test_a_text_in_quotes_keeps_its_blanks_and_commas() -> None:
    found = parse_options(["a='my runs, 2'", 'b="x y"', "c='true'", "d='[1, 2]'", "e='a','b'"])
    assert found == {"a": "my runs, 2", "b": "x y", "c": True, "d": [1, 2], "e": ["a", "b"]}


def test_an_option_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="'lr' has no value: write KEY=VALUE"):
        parse_options(["lr"])


def test_a_config_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.py' does not exist"):
        read_config(tmp_path / "nothing.py")


def test_a_module_that_an_option_names_is_imported(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "an_own_module.py").write_text("LOADED = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "an_own_module", raising=False)
    read_config(path, ["custom_imports.imports=[an_own_module]"])
    assert sys.modules["an_own_module"].LOADED
    with pytest.raises(ImportError, match="no_such_module"):
        read_config(path, {"custom_imports.imports": ["no_such_module"]})
