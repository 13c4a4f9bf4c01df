"""Resume under torch >= 2.6, with its safe loading left on."""

import numpy as np
import torch
from mmengine.logging import HistoryBuffer


def allow_checkpoint_classes() -> None:
    """Let ``torch.load`` take what mmengine writes into a checkpoint's message hub.

    Since torch 2.6 a checkpoint is read with ``weights_only=True``, which refuses any class that
    isn't on an allow-list, and mmengine 0.10.7 resumes without putting its own there. These are
    plain containers of numbers: safe loading stays on for everything else. Does nothing on a
    torch without the list (before 2.4), where loading is not restricted.
    """
    add = getattr(torch.serialization, "add_safe_globals", None)
    if add is None:
        return
    core = getattr(np, "_core", None) or np.core
    dtypes = [type(np.dtype(kind)) for kind in ("bool", "int32", "int64", "float32", "float64")]
    reconstruct = core.multiarray._reconstruct
    add([HistoryBuffer, np.ndarray, np.dtype, *dtypes, core.multiarray.scalar, reconstruct])
    # numpy < 2 and numpy >= 2 write different module names for the same two functions
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        for function in (core.multiarray.scalar, reconstruct):
            try:
                add([(function, f"{module}.{function.__name__}")])
            except (TypeError, ValueError):  # torch < 2.6 takes no names
                return
