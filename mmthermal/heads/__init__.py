"""Heads in mmdet's registry."""

from mmthermal.heads.composite_retina_head import CompositeRetinaHead

__all__ = ["CompositeRetinaHead"]
