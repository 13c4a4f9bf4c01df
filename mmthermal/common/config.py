"""Configs with overrides: one parser of ``KEY=VALUE``, one check of its keys, one reader."""

import ast
import re
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.utils import import_modules_from_strings

from mmthermal.common.checks import did_you_mean
from mmthermal.common.config_variables import (
    SECTIONS,
    check_variables,
    keys_of_variable,
    no_effect,
)
from mmthermal.common.installed import find_config
from mmthermal.common.renamed_configs import config_from_file, new_place

# Reading is not safe in threads: mmengine parses with `ast` and takes modules out of `sys.modules`,
# and two `ast.parse` at a time fail where a collection of garbage lets the other thread run
# (python/cpython#106905, mended in 3.11.8 and 3.12.2).
_READING = threading.RLock()

# in quotes, with a blank or a comma, and no list or tuple
_TEXT = re.compile(r"""(['"])(?![\[(])(?=.*[ ,])(?:(?!\1).)*\1""")


class OptionAction(DictAction):
    """mmengine's ``DictAction`` that takes values with dicts, too, written as in Python.

    ``"visualizer.vis_backends=[{'type':'LocalVisBackend'}]"`` comes out of mmengine's own as a
    list of strings. A text in quotes keeps its blanks and commas: ``"work_dir='my runs'"``.
    """

    @staticmethod
    def _parse_iterable(val: str) -> object:
        if "{" in val:
            try:
                return ast.literal_eval(val)
            except (SyntaxError, ValueError):
                pass  # such as a template, '{{fileDirname}}/x': mmengine's business
        if _TEXT.fullmatch(val):
            return val[1:-1]
        return DictAction._parse_iterable(val)


def parse_options(options: Sequence[str]) -> dict[str, Any]:
    """Parse ``KEY=VALUE`` strings as the tools parse ``--cfg-options``.

    Args:
        options: the strings, as a command line has them.

    Returns:
        values by dotted key.

    Raises:
        ValueError: if a string has no ``=``.
    """
    without = [option for option in options if "=" not in option]
    if without:
        raise ValueError(f"option {without[0]!r} has no value: write KEY=VALUE, without blanks")
    pairs = (option.split("=", maxsplit=1) for option in options)
    return {key: OptionAction._parse_iterable(value) for key, value in pairs}


def check_option_keys(options: Mapping[str, Any], cfg: Config) -> None:
    """Raise if an override names a section that neither the config nor the runner has.

    mmengine adds unknown keys without a word, so that a misspelt override does nothing; and it
    overrides variables of a config file when the settings are made of them already.

    Args:
        options: values by dotted key, as given to ``--cfg-options``.
        cfg: the config that they override.

    Raises:
        ValueError: naming the key, and the nearest section that exists or the settings that do
            it.
    """
    known = sorted({*cfg.keys(), *SECTIONS})
    for option, value in options.items():
        section = option.split(".")[0]
        if section in SECTIONS:
            continue
        keys = keys_of_variable(cfg, section, cfg.get(section))
        if section not in known:
            hint = did_you_mean(section, known) or f"it has {', '.join(known)}"
            hint = f"set {', '.join(keys)}" if keys else hint
            hint = f"leave out 'cfg.' at its start: {option[4:]}" if section == "cfg" else hint
            raise ValueError(f"--cfg-options {option}: the config has no {section!r}: {hint}")
        if keys:
            raise ValueError(f"--cfg-options {no_effect(option, value, keys)}")


def check_option_places(options: Mapping[str, Any], cfg: Config) -> None:
    """Raise if an override leads through a list without an index of it, or through a value.

    Args:
        options: values by dotted key, as given to ``--cfg-options``.
        cfg: the config that they override.

    Raises:
        ValueError: naming the key, what is at its place, and what to write.
    """
    for option, value in options.items():
        node: Any = cfg
        parts = option.split(".")
        for i, part in enumerate(parts):
            place = ".".join(parts[:i])
            if options.get(f"{place}._delete_"):
                break
            given = f"--cfg-options {option}={value!r}: {place}"
            if isinstance(node, list):
                if not node:
                    raise ValueError(f"{given} is an empty list: write {place}=[…], the whole list")
                if not (part.isdigit() and int(part) < len(node)):
                    known = f"{place}.0" + (f" to {place}.{len(node) - 1}" if node[1:] else "")
                    raise ValueError(
                        f"{given} is a list with {len(node)} "
                        f"entr{'ies' if node[1:] else 'y'}: write {known} for {place}.{part}"
                    )
                node = node[int(part)]
                if i == len(parts) - 1 and not (isinstance(value, dict) and isinstance(node, dict)):
                    raise ValueError(
                        f"{given} is a list, of which no entry can be replaced alone: write "
                        f"{place}=[…], the whole list, or keys of the entry, {option}.KEY=VALUE"
                    )
            elif isinstance(node, (dict, Config)):
                if part not in node:
                    break
                node = node[part]
            else:
                raise ValueError(f"{given} is {node!r}, which has no parts: write {place}=…")


def merge_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Override settings of a config, and import the modules that it names afterwards.

    Args:
        cfg: the config; it is changed.
        options: values by dotted key; modules in ``custom_imports`` are imported, as they may
            register what the other settings name.

    Raises:
        ValueError: if a key names a section that doesn't exist, or an entry that a list lacks.
        ImportError: if a module can't be imported.
    """
    check_option_keys(options, cfg)
    check_option_places(options, cfg)
    cfg.merge_from_dict(dict(options))
    if any(key.split(".")[0] == "custom_imports" for key in options):
        import_modules_from_strings(**cfg.custom_imports)


def read_config(path: str | Path, options: Mapping[str, Any] | Sequence[str] = ()) -> Config:
    """Read a config file and apply overrides; threads that call it at once take turns.

    Args:
        path: the file, or the name of one of mmthermal's configs.
        options: values by dotted key, or ``KEY=VALUE`` strings.

    Returns:
        the config.

    Raises:
        FileNotFoundError: if there is no such file; it names the new file of a renamed one.
        ValueError: if an option names a section that doesn't exist or an entry that a list lacks,
            or has no value, or a variable of the file or of the options changes nothing.
        ImportError: if a module of ``custom_imports`` can't be imported.
    """
    with _READING:
        # mmengine reloads pkg_resources for every base "mmdet::…", and each time setuptools warns.
        warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
        if new_place(str(path)) is None:
            path = find_config(path)
        cfg = config_from_file(path)
        check_variables(cfg)
        merge_options(cfg, options if isinstance(options, Mapping) else parse_options(options))
        return cfg
