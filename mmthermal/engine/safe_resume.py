"""Resume under torch >= 2.6, with its safe loading left on."""

from collections.abc import Callable

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_STATISTICS = ("min", "max", "current", "mean")


def allow_checkpoint_classes() -> None:
    """Let ``torch.load`` take what mmengine writes into a checkpoint's message hub.

    Since torch 2.6 a checkpoint is read with ``weights_only=True``, which refuses any class that
    isn't on an allow-list, and mmengine 0.10.7 resumes without putting its own there. These are
    plain containers of numbers: safe loading stays on for everything else. Does nothing on older
    torch, where loading isn't restricted.
    """
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 6):
        return
    multiarray = getattr(np, "_core", None) or np.core
    multiarray = multiarray.multiarray
    dtypes = [type(np.dtype(kind)) for kind in ("bool", "int32", "int64", "float32", "float64")]
    # numpy 1 and 2 give the same functions different module names, and a checkpoint may come
    # from the other one.
    numpy_functions = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in (multiarray.scalar, multiarray._reconstruct)
        for core in ("core", "_core")
    ]
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            np.ndarray,
            np.dtype,
            *dtypes,
            *numpy_functions,
            (_statistics_method, "builtins.getattr"),
        ]
    )


def _statistics_method(owner: object, name: str) -> Callable:
    """All that a checkpoint may ask of ``getattr``: HistoryBuffer pickles four of its methods.

    Stands in for ``builtins.getattr``, which would reach anything, while a checkpoint is read.
    """
    if owner is not HistoryBuffer or name not in _STATISTICS:
        raise ValueError(f"the checkpoint asks for {name!r} of {owner!r}, which isn't allowed")
    method: Callable = getattr(HistoryBuffer, name)
    return method
