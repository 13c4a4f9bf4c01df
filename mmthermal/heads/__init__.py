"""Detector heads with the composite loss, in mmdet's registry."""

from mmthermal.heads.composite_atss_head import CompositeATSSHead
from mmthermal.heads.composite_bbox_head import CompositeBBoxHead, CompositeConvBBoxHead
from mmthermal.heads.composite_fcos_head import CompositeFCOSHead
from mmthermal.heads.composite_retina_head import CompositeRetinaHead
from mmthermal.heads.composite_rpn_head import CompositeRPNHead
from mmthermal.heads.float32_roi_extractor import Float32RoIExtractor
from mmthermal.heads.float32_rpn_head import Float32RPNHead
from mmthermal.heads.float32_vfnet_head import Float32VFNetHead
from mmthermal.heads.ignore_aware_assigner import IgnoreAwareMaxIoUAssigner

__all__ = [
    "CompositeATSSHead",
    "CompositeBBoxHead",
    "CompositeConvBBoxHead",
    "CompositeFCOSHead",
    "CompositeRPNHead",
    "CompositeRetinaHead",
    "Float32RPNHead",
    "Float32RoIExtractor",
    "Float32VFNetHead",
    "IgnoreAwareMaxIoUAssigner",
]
