"""Puts the operators in the place of mmcv's compiled extension, if there is none."""

import importlib
import importlib.util
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version

from mmthermal.ops.low_precision import guard_ops

EXTENSION = "mmcv._ext"
# Packages that own the folder mmcv, of OpenMMLab and of the fork that goes on with it.
COMPILED = ("mmcv", "mmcv-full", "onedl-mmcv")
LITE = ("mmcv-lite", "onedl-mmcv-lite")


def install_ops() -> bool:
    """Make ``import mmcv.ops`` work without a compiled mmcv, and every operator in low precision.

    A compiled mmcv is left as it is but for the guard of :mod:`mmthermal.ops.low_precision`.
    Must run before the first import of ``mmcv.ops``, which most of mmdet imports.

    Returns:
        whether mmthermal's operators are used.

    Raises:
        ImportError: there is no mmcv at all, or its compiled extension does not load.
    """
    if EXTENSION in sys.modules:
        guard_ops(sys.modules[EXTENSION])
        return sys.modules[EXTENSION].__name__ != EXTENSION
    if importlib.util.find_spec("mmcv") is None:
        raise ImportError(
            "mmthermal needs mmcv, and neither mmcv-lite nor a compiled mmcv is installed: "
            "pip install 'mmthermal[lite]' (no compiler needed) or, for all of mmcv's operators, "
            "'mmthermal[full]'; see docs/install.md."
        )
    mixture = mixed_packages()
    if mixture:
        warnings.warn(mixture, stacklevel=2)
    if importlib.util.find_spec(EXTENSION) is not None:
        try:
            guard_ops(importlib.import_module(EXTENSION))
        except ImportError as error:
            raise ImportError(
                f"mmcv's compiled operators do not load ({error}): mostly they were compiled for "
                "another torch. Compile them again, or do without them: pip uninstall -y mmcv; "
                "pip install mmcv-lite"
            ) from error
        return False
    module = importlib.import_module("mmthermal.ops.extension")
    guard_ops(module)
    sys.modules[EXTENSION] = module
    importlib.import_module("mmcv")._ext = module  # type: ignore[attr-defined]
    return True


def mixed_packages() -> str:
    """Look for packages that share the folder mmcv and overwrite each other's files.

    Returns:
        what is wrong and how to put it right; empty if at most one is installed.
    """
    found = [name for name in (*COMPILED, *LITE) if _is_installed(name)]
    if len(found) < 2:
        return ""
    return (
        f"{' and '.join(found)} are both installed and overwrite each other's files in one "
        f"folder. Remove them, pip uninstall -y {' '.join(found)}, then install one of them: "
        "mmcv-lite needs no compiler, mmcv has all operators (docs/install.md)."
    )


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
