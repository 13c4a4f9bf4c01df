"""Checkpoints without code: whatever reads one, only tensors and plain containers come in."""

import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import mmengine.runner.checkpoint as mmengine_checkpoint
import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import CheckpointLoader

from mmthermal.common.checks import InputError


class _OneCycle:
    """Stands for mmengine's OneCycleParamScheduler, so that a checkpoint can't make one."""


# What a checkpoint names, what it gets the methods of, and which.
_METHODS = (
    (HistoryBuffer, HistoryBuffer, ("min", "max", "current", "mean")),
    (_OneCycle, OneCycleParamScheduler, ("_annealing_cos", "_annealing_linear")),
)


def _has_allow_list() -> bool:
    """Whether torch's own safe loading takes all that mmengine's checkpoints need."""
    return tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 6)


def _allowed() -> list[Any]:
    """What mmengine writes beside tensors: plain containers of numbers.

    Returns:
        classes, and pairs of a function and the name that a checkpoint has for it.
    """
    try:  # numpy 1.26 has a numpy._core, too, which is empty until it is imported
        from numpy._core import multiarray
    except ImportError:
        from numpy.core import multiarray  # type: ignore[no-redef]
    dtypes = [type(np.dtype(kind)) for kind in ("bool", "int32", "int64", "float32", "float64")]
    # numpy 1 and 2 give the same functions different module names, and a checkpoint may come
    # from the other one.
    numpy_functions = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in (multiarray.scalar, multiarray._reconstruct)
        for core in ("core", "_core")
    ]
    getter = (_method, "builtins.getattr")
    one_cycle = (_OneCycle, f"{OneCycleParamScheduler.__module__}.OneCycleParamScheduler")
    return [HistoryBuffer, np.ndarray, np.dtype, *dtypes, *numpy_functions, getter, one_cycle]


def allow_checkpoint_classes() -> None:
    """Let ``torch.load`` take what mmengine writes into a checkpoint's message hub.

    With ``weights_only=True`` it refuses any class that isn't on an allow-list, and mmengine
    0.10.7 resumes without putting its own there. Safe loading stays on for everything else. Does
    nothing before torch 2.6, whose list takes no names.
    """
    if _has_allow_list():
        torch.serialization.add_safe_globals(_allowed())


def _method(owner: object, name: str) -> Callable:
    """All that a checkpoint may ask of ``getattr``: methods that mmengine pickles by name.

    Stands in for ``builtins.getattr``, which would reach anything, while a checkpoint is read.
    """
    for named, source, methods in _METHODS:
        if owner is named and name in methods:
            method: Callable = getattr(source, name)
            return method
    raise ValueError(f"the checkpoint asks for {name!r} of {owner!r}, which isn't allowed")


def load_file(path: Any, map_location: Any = "cpu") -> Any:
    """Read a file of ``torch.save`` without running code that it may hold.

    Args:
        path: file, or an open one.
        map_location: as ``torch.load``.

    Returns:
        its content.

    Raises:
        FileNotFoundError: if there is no such file.
        pickle.UnpicklingError: if it holds anything but tensors, numbers and containers.
        RuntimeError: if it is cut short, or no file of ``torch.save``.
    """
    if _has_allow_list():
        allow_checkpoint_classes()
        return torch.load(path, map_location=map_location, weights_only=True)
    return load_with_list(path, map_location)


class CheckpointError(InputError):
    """A checkpoint that cannot be read, resumed, or fitted to the model."""


def read_checkpoint(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """:func:`load_file` of a checkpoint, with an error that names the file.

    Args:
        path: the file.
        map_location: as ``torch.load``.

    Returns:
        its content.

    Raises:
        CheckpointError: if it cannot be read, is no dict, or its ``state_dict`` is none.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {str(path)!r} does not exist: check the path")
    try:
        content = load_file(path, map_location)
    except Exception as error:  # torch raises many kinds for a file that is cut short
        reason = str(error).strip().split("\n")[0][:200]
        raise CheckpointError(
            f"checkpoint {str(path)!r} ({path.stat().st_size} bytes) cannot be read: "
            f"{type(error).__name__}: {reason}. It is cut short, no checkpoint, or holds more "
            "than weights and numbers"
        ) from error
    for what, part in (("", content), ("a state_dict that is ", _weights(content))):
        if not isinstance(part, dict):
            kind = type(part).__name__
            raise CheckpointError(f"checkpoint {str(path)!r} holds {what}a {kind}, not a dict")
    return content


def _weights(content: Any) -> Any:
    """The weights of a checkpoint, which may be all of it."""
    if isinstance(content, dict):
        return next((content[key] for key in ("state_dict", "model") if key in content), content)
    return content


def not_finite(tensors: Iterable[tuple[Any, Any]]) -> list[str]:
    """Find tensors with NaN or infinities, by one transfer from each device.

    Args:
        tensors: pairs of a name and a value; values that are no floating tensors are left out.

    Returns:
        the names.
    """
    flags: dict[torch.device, dict[str, torch.Tensor]] = {}
    for name, value in tensors:
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            flags.setdefault(value.device, {})[str(name)] = torch.isfinite(value).all()
    return [
        name
        for part in flags.values()
        for name, fine in zip(part, torch.stack(list(part.values())).tolist(), strict=True)
        if not fine
    ]


def load_with_list(path: Any, map_location: Any) -> Any:
    """:func:`load_file` for torch before 2.6, by an unpickler of our own.

    Its ``weights_only`` knows no names, and so would refuse what mmengine writes.
    """
    pickles = SimpleNamespace(
        Unpickler=_ListUnpickler,
        load=lambda file, **kwargs: _ListUnpickler(file, **kwargs).load(),
        __name__=__name__,
    )
    return torch.load(path, map_location=map_location, pickle_module=pickles, weights_only=False)


class _ListUnpickler(pickle.Unpickler):
    """Refuses every global name but those of tensors, of containers and of mmengine's numbers."""

    def find_class(self, module: str, name: str) -> Any:
        module = "builtins" if module == "__builtin__" else module  # protocol 2, as torch.save
        full = f"{module}.{name}"
        own: dict[str, Any] = {}
        for entry in _allowed():
            value, key = entry if isinstance(entry, tuple) else (entry, None)
            own[key or f"{value.__module__}.{value.__qualname__}"] = value
        own["builtins.set"], own["builtins.complex"] = set, complex
        own["builtins.bytearray"], own["_codecs.encode"] = bytearray, _encode
        if full in own:
            return own[full]
        kind = name.removesuffix("Storage")
        if module in ("torch", "torch.storage") and name != kind and kind.isidentifier():
            return super().find_class(module, name)
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype | torch.Size):
            return getattr(torch, name)
        if full in _TENSORS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"the checkpoint asks for {full}, which isn't allowed")


_TENSORS = frozenset(
    (
        "collections.Counter",  # milestones of MultiStepLR
        "collections.OrderedDict",
        "torch.Size",
        "torch.device",
        "torch.Tensor",
        "torch.nn.parameter.Parameter",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch.serialization._get_layout",
    )
)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """All that a checkpoint may ask of ``codecs.encode``: bytes of an array."""
    if encoding not in ("latin1", "utf-8"):
        raise pickle.UnpicklingError(f"the checkpoint asks for encoding {encoding!r}")
    return text.encode(encoding)


def load_safely_everywhere() -> None:
    """Make mmengine read every checkpoint by :func:`load_file`, from disk and from the network.

    Its loaders leave ``weights_only`` to torch's default, which was False before 2.6 and can be
    switched back by an environment variable. This covers ``resume``, ``load_from``, ``init_cfg``
    and ``init_detector``.
    """
    CheckpointLoader.register_scheme(prefixes="", loader=load_from_local, force=True)
    mmengine_checkpoint.load_url = load_from_url


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """mmengine's function of that name, safely.

    Args:
        filename: the file.
        map_location: as ``torch.load``.

    Returns:
        its content.

    Raises:
        CheckpointError: if it cannot be read, or holds no weights, or some that are not finite.
        FileNotFoundError: if there is no such file.
    """
    path = Path(filename).expanduser()
    content = read_checkpoint(path, map_location)
    weights = _weights(content)
    if not any(isinstance(value, torch.Tensor) for value in weights.values()):
        raise CheckpointError(f"checkpoint {filename!r} holds no weights")
    if bad := not_finite(weights.items()):
        raise CheckpointError(
            f"checkpoint {filename!r} has weights that are not finite: {', '.join(bad[:5])}"
        )
    return content


def load_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True
) -> Any:
    """``torch.hub.load_state_dict_from_url``, safely, with the same folder of downloads.

    Args:
        url: of the file.
        model_dir: folder that keeps it; torch's own if None.
        map_location: as ``torch.load``.
        progress: whether to show a bar.

    Returns:
        the content of the file.
    """
    folder = Path(model_dir) if model_dir else Path(torch.hub.get_dir(), "checkpoints")
    name = Path(urlparse(url).path).name
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        mark = torch.hub.HASH_REGEX.search(name)  # digits of its hash, in names of torch and mmdet
        digits = mark.group(1) if mark else ""
        known = len(digits) >= 8 and not digits.isdigit()  # else a number or a date
        torch.hub.download_url_to_file(url, str(path), digits if known else None, progress=progress)
    return load_file(path, map_location)
