"""mmthermal: overlapping objects in low-resolution thermal images, on top of MMDetection.

Importing the package registers its parts in mmdet's registries; in a config that is
``custom_imports = dict(imports=['mmthermal'], allow_failed_imports=False)``.
"""

from mmthermal.ops import install_ops

install_ops()  # before anything imports mmdet, and with it mmcv.ops

from mmthermal import backbones, datasets, engine, evaluation, heads, losses, samplers  # noqa: E402
from mmthermal.version import __version__  # noqa: E402

__all__ = [
    "__version__",
    "backbones",
    "datasets",
    "engine",
    "evaluation",
    "heads",
    "losses",
    "samplers",
]
