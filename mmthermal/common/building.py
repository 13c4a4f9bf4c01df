"""What a constructor says of its arguments, as an error of the config that gave them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

from mmdet import registry
from mmengine.registry import Registry

from mmthermal.common.checks import InputError, did_you_mean

REGISTRIES: tuple[Registry, ...] = (
    registry.MODELS,
    registry.TASK_UTILS,
    registry.DATASETS,
    registry.DATA_SAMPLERS,
    registry.TRANSFORMS,
    registry.HOOKS,
    registry.METRICS,
    registry.OPTIM_WRAPPERS,
    registry.LOOPS,
)
"""Where the classes of a config are registered."""


def registered(name: str) -> Any:
    """The class, or function, that a config means by a name; None if there is none."""
    return next((kind for r in REGISTRIES if (kind := r.get(name))), None)


_STRANGER = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


@contextmanager
def building(what: str) -> Iterator[None]:
    """Turn errors of constructors into one error of the input.

    Args:
        what: is built, for the message.

    Yields:
        nothing, while it is built.

    Raises:
        InputError: with the constructor's words and, for an argument that it lacks, the nearest.
    """
    try:
        yield
    except InputError:
        raise
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        words = str(error.args[0]) if error.args else ""
        if not words:
            raise
        raise InputError(f"{what}: {words}{_hint(words)}") from error


def _hint(words: str) -> str:
    """The argument that was meant, where a constructor got one that it lacks."""
    stranger = _STRANGER.search(words)
    if stranger is None:
        return ""
    name, key = stranger.groups()
    kind = registered(name)
    if kind is None:  # a base that is not registered, such as mmengine's BaseDataset
        known = (kind for r in REGISTRIES for kind in r.module_dict.values())
        bases = (base for kind in known for base in getattr(kind, "__mro__", ()))
        kind = next((base for base in bases if base.__name__ == name), None)
    hint = did_you_mean(key, signature(kind).parameters) if kind is not None else ""
    return f": {hint}" if hint else ""
