"""mmdet's ``MaxIoUAssigner``, whose ignored regions are no background in any image."""

from typing import Any

from mmdet.models.task_modules.assigners import AssignResult, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData


@TASK_UTILS.register_module()
class IgnoreAwareMaxIoUAssigner(MaxIoUAssigner):
    """``MaxIoUAssigner`` that reads ``ignore_iof_thr`` in images without objects, too.

    mmdet's calls all of such an image background, also what lies on its ignored regions, and RPN
    and RoI heads then learn from it. In images with objects this one is mmdet's.

    Args:
        *args: as ``MaxIoUAssigner``.
        **kwargs: as ``MaxIoUAssigner``; ``ignore_iof_thr`` has to be above 0, or nothing is
            ignored in any image.
    """

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        **kwargs: Any,
    ) -> AssignResult:
        """Assign the priors of an image to its objects.

        Args:
            pred_instances: ``priors``, (S, 4) boxes in pixels.
            gt_instances: ``bboxes``, (G, 4), and ``labels``, (G,).
            gt_instances_ignore: ``bboxes``, (R, 4), ignored regions; None for none.
            **kwargs: as ``MaxIoUAssigner``.

        Returns:
            ``gt_inds``, (S,): -1 for priors that are left out, those on ignored regions among
            them, 0 for background, g + 1 for object g.
        """
        result: AssignResult = super().assign(
            pred_instances, gt_instances, gt_instances_ignore, **kwargs
        )
        priors = pred_instances.priors
        if (
            self.ignore_iof_thr <= 0
            or len(gt_instances.bboxes)
            or gt_instances_ignore is None
            or not len(gt_instances_ignore.bboxes)
            or not len(priors)
        ):
            return result
        regions = gt_instances_ignore.bboxes
        if self.ignore_wrt_candidates:
            share = self.iou_calculator(priors, regions, mode="iof").amax(1)
        else:
            share = self.iou_calculator(regions, priors, mode="iof").amax(0)
        result.gt_inds[share > self.ignore_iof_thr] = -1
        return result
