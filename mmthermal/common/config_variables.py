"""Variables of config files that nothing reads: they look like settings and change nothing.

A config file may assign ``data_root`` and build its sections with it. mmengine keeps the variable
beside the sections, but once the file is read nothing asks for it: an override of the variable, or
an assignment in a file over it, has no effect.
"""

import ast
import inspect
import logging
import os.path as osp
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmdet
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmthermal.common.checks import did_you_mean

# Keys that mmengine and mmdet read besides the arguments of the runner.
_OTHERS = (
    "auto_scale_lr",
    "compile",
    "custom_imports",
    "find_unused_parameters",
    "model_wrapper_cfg",
    "runner_type",
    "sync_bn",
    "tta_model",
    "tta_pipeline",
)
# "cfg" is the whole config, which mmengine hands to the runner beside its parts
_RUNNER = set(inspect.signature(Runner.__init__).parameters) - {"self", "cfg"}
SECTIONS = frozenset((*_RUNNER, *_OTHERS))
"""Top-level keys that a run reads."""
# Names that mmdet 2 read, or that tutorials give to variables, and the settings of mmdet 3.
_ELSEWHERE = {
    "backend_args": "backend_args of the data sets, of their loading and of the evaluators",
    "checkpoint_config": "default_hooks.checkpoint",
    "classes": "train_dataloader.dataset.metainfo=dict(classes=(…)), and that of val and test",
    "data": "train_dataloader, val_dataloader and test_dataloader",
    "dist_params": "env_cfg.dist_cfg",
    "evaluation": "val_evaluator, train_cfg.val_interval and default_hooks.checkpoint.save_best",
    "fp16": "optim_wrapper, or --amp",
    "img_scale": "scale of Resize in the pipelines of the data sets",
    "log_config": "default_hooks.logger",
    "lr_config": "param_scheduler",
    "metainfo": "train_dataloader.dataset.metainfo, and that of val and test",
    "momentum_config": "param_scheduler",
    "optimizer": "optim_wrapper.optimizer",
    "optimizer_config": "optim_wrapper.clip_grad",
    "resume_from": "load_from and resume=True",
    "runner": "train_cfg",
    "samples_per_gpu": "train_dataloader.batch_size",
    "total_epochs": "train_cfg.max_epochs",
    "workers_per_gpu": "train_dataloader.num_workers",
    "workflow": "train_cfg and val_cfg",
}
_MMDET = Path(mmdet.__file__).resolve().parent
_SHOWN = 8


@dataclass(frozen=True)
class _File:
    """Source of a config file and of those that it builds on.

    Args:
        path: of the file.
        text: its source.
        values: what it assigns at its top level, with the bases' values merged in.
        assigned: names that it assigns itself.
        bases: files that it builds on.
    """

    path: str
    text: str
    values: Mapping[str, Any]
    assigned: frozenset[str]
    bases: tuple["_File", ...]

    def below(self) -> Iterator["_File"]:
        """All files that this one builds on."""
        for base in self.bases:
            yield base
            yield from base.below()


def check_variables(cfg: Config) -> None:
    """Stop at variables of a config file that look like settings and change nothing.

    In the bases, and in files that mmdet brings, they are only said.

    Args:
        cfg: a config as ``Config.fromfile`` gives it.

    Raises:
        ValueError: naming each variable and the settings that do it.
    """
    own = []
    for path, message in unread_variables(cfg):
        if path == osp.normpath(cfg.filename) and not Path(path).resolve().is_relative_to(_MMDET):
            own.append(message)
        else:
            print_log(message, logger="current", level=logging.WARNING)
    if own:
        raise ValueError("\n".join((*own, "If a variable is for nothing, take its line out.")))


def unread_variables(cfg: Config) -> list[tuple[str, str]]:
    """Assignments of a config file and of its bases that change nothing.

    Args:
        cfg: a config as ``Config.fromfile`` gives it.

    Returns:
        the file and a sentence, for each variable that overrides one of a base without effect,
        has the name of a setting elsewhere in the config or in mmdet 2, or is nearly the name of
        a section.
        Variables that no setting is named after are free, and so are those of a file without
        bases, such as one that mmengine has written. Nothing is said of mmengine's lazy style.
    """
    path = str(cfg.filename or "")
    if not Path(path).is_file() or not path.endswith(".py") or Config._is_lazy_import(path):
        return []
    found = []
    for file, over in _with_users(_read(path), ()):
        for name in sorted(file.assigned - SECTIONS):
            if _loaded(file.text, name) or any(_taken_from_base(f.text, name) for f in over):
                continue
            if any(name in f.assigned for f in over):
                continue  # said of the file that has the last word
            message = _judged(cfg, file, name)
            if message and (file.path, message) not in found:
                found.append((file.path, message))
    return found


def keys_of_variable(cfg: Mapping[str, Any] | Config, name: str, old: Any = None) -> list[str]:
    """The settings that a variable stands for.

    Args:
        cfg: the config.
        name: of the variable.
        old: its value; settings that hold it, or paths that start with it, are named, too.

    Returns:
        dotted keys: of this name, or with the variable's value.
    """
    keys = []
    for key, value in _leaves(cfg, ""):
        if "." not in key:
            continue
        same = isinstance(old, (list, dict, str)) and bool(old) and value == old
        path = isinstance(old, str) and "/" in old and isinstance(value, str)
        named = key.rpartition(".")[2] == name
        if named or same or (path and str(value).startswith(str(old))):
            keys.append(key)
    return [k for k in keys if not any(k.startswith(f"{other}.") for other in keys)]


def no_effect(name: str, value: Any, keys: Sequence[str]) -> str:
    """Words for a variable that nothing reads.

    Args:
        name: of the variable.
        value: that it was given.
        keys: of :func:`keys_of_variable`.
    """
    start = f"{name}={_short(value)} changes nothing: it is a variable of the config file, which "
    if not keys:
        return f"{start}no setting is made of any more"
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return f"{start}the settings were made of before. Set {', '.join(keys[:_SHOWN])}{more}"


def _judged(cfg: Config, file: _File, name: str) -> str:
    """What is wrong with a variable that nothing reads; empty if it is the user's own affair."""
    value = file.values.get(name)
    olds = [base.values[name] for base in file.bases if name in base.values]
    keys = keys_of_variable(cfg, name, olds[0] if olds else None)
    if olds:
        return "" if olds[0] == value else f"{file.path}: {no_effect(name, value, keys)}"
    if not file.bases:  # such as a config that mmengine has written with everything resolved
        return ""
    if keys and any(_at(cfg, key) != value for key in keys):
        return (
            f"{file.path}: {name}={_short(value)} changes nothing: no section of the file uses "
            f"this variable. Set {', '.join(keys[:_SHOWN])}"
        )
    if name in _ELSEWHERE and value is not None and not keys:
        return f"{file.path}: nothing reads {name!r}. Set {_ELSEWHERE[name]}"
    hint = did_you_mean(name, SECTIONS)
    return f"{file.path}: nothing reads {name!r}: {hint}" if hint and not keys else ""


def _read(path: str) -> _File:
    """Read a config file and its bases."""
    text = Path(path).read_text(encoding="utf-8")
    bases = []
    for base in Config._get_base_files(path):
        found, _ = Config._get_cfg_path(base, path)
        bases.append(_read(found))
    values = dict(Config._file2dict(path)[0])
    if not path.endswith(".py"):  # YAML or JSON, which have sections and no variables
        text = ""
    return _File(osp.normpath(path), text, values, frozenset(_assigned(text)), tuple(bases))


def _assigned(text: str) -> Iterator[str]:
    """Names that a file assigns at its top level; not private ones."""
    for node in ast.parse(text).body:
        one = [node.target] if isinstance(node, ast.AnnAssign) else []
        targets = node.targets if isinstance(node, ast.Assign) else one
        for target in targets:
            if isinstance(target, ast.Name) and not target.id.startswith("_"):
                yield target.id


def _loaded(text: str, name: str) -> bool:
    """Whether a file reads one of its own variables."""
    return any(
        isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Store)
        for node in ast.walk(ast.parse(text))
    )


def _taken_from_base(text: str, name: str) -> bool:
    """Whether a file reads a variable of its bases, such as ``_base_.x`` or ``_base_.pop('x')``."""
    return bool(re.search(rf"_base_(\.|\[|\.\w+\()\s*['\"]?{re.escape(name)}\b", text))


def _with_users(file: _File, over: tuple[_File, ...]) -> Iterator[tuple[_File, tuple[_File, ...]]]:
    """Each file with those that build on it."""
    yield file, over
    for base in file.bases:
        yield from _with_users(base, (*over, file))


def _leaves(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every value of a config with its dotted key, lists and dicts before their parts."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, (Mapping, Config)):
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    for key, value in items:
        where = f"{place}.{key}" if place else str(key)
        yield where, value
        yield from _leaves(value, where)


def _at(cfg: Config, key: str) -> Any:
    return dict(_leaves(cfg, ""))[key]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
