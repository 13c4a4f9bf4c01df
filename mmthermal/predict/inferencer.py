"""mmdet's ``DetInferencer`` for configs that load images by ``LoadThermalImage``."""

from typing import Any

from mmcv.transforms import Compose
from mmdet.apis import DetInferencer
from mmengine.config import ConfigDict
from torch import nn

from mmthermal.common.checkpoints import check_fit


class ThermalInferencer(DetInferencer):
    """``DetInferencer`` that finds ``LoadThermalImage`` in the test pipeline.

    Its pictures are mmdet's, which show 16-bit images as 8-bit ones; ``tools/predict.py`` draws
    with gain control.

    Args:
        *args: as ``DetInferencer``.
        **kwargs: as ``DetInferencer``.
    """

    def _init_pipeline(self, cfg: ConfigDict) -> Compose:
        """Build the test pipeline, whose loader takes paths and arrays."""
        steps = cfg.test_dataloader.dataset.pipeline
        at = self._get_transform_idx(steps, ("LoadThermalImage", "mmdet.LoadThermalImage"))
        if at == -1:
            return super()._init_pipeline(cfg)
        steps[at]["type"] = "mmdet.ThermalInferencerLoader"
        if "meta_keys" in steps[-1]:  # an inferencer has no image ids
            steps[-1]["meta_keys"] = tuple(k for k in steps[-1]["meta_keys"] if k != "img_id")
        return Compose(steps)

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: dict[str, Any] | None, cfg: ConfigDict | None
    ) -> None:
        """Load weights, all of the model's."""
        super()._load_weights_to_model(model, checkpoint, cfg)
        if checkpoint is not None:
            check_fit(model, checkpoint, name="weights")
