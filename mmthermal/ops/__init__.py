"""mmcv's operators in torch, for an environment without a compiled mmcv."""

from mmthermal.ops.installation import install_ops

__all__ = ["install_ops"]
