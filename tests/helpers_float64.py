"""Makes a training compute in float64; imported by a config's ``custom_imports``.

Weights, anchors and images are float64, so that several processes and one can be compared to more
digits than float32 has.
"""

from typing import Any

import mmcv._ext
import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.registry import MODELS

torch.set_default_dtype(torch.float64)
_nms = mmcv._ext.nms
# The one operator of a training step that has no float64: which proposals are kept.
mmcv._ext.nms = lambda boxes, scores, *args, **kwargs: _nms(
    boxes.float(), scores.float(), *args, **kwargs
)


@MODELS.register_module()
class Float64Preprocessor(DetDataPreprocessor):
    """mmdet's ``DetDataPreprocessor``, images as float64."""

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        data = super().forward(data, training)
        return {**data, "inputs": data["inputs"].double()}
