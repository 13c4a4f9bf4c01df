"""Priors on ignored regions, which are no candidates for mining.

mmdet's assigners let some of them through: those without ``ignore_iof_thr``, FCOS, and every
assigner in an image without objects.
"""

from mmdet.structures.bbox import get_box_tensor
from mmdet.utils import OptInstanceList
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmthermal.functional.assignment import covered_share


def on_ignored(priors: Tensor, regions: OptInstanceList, share: float = 0.5) -> Tensor | None:
    """Which priors lie on an ignored region of their image.

    Args:
        priors: (S, 4) boxes or (S, 2) points in pixels, the same for all images.
        regions: ignored regions of each image, None where there are none.
        share: a box lies on a region if more than this share of it does; a point has to be in it.

    Returns:
        (N, S), bool; None where no image has a region.
    """
    none = priors.new_zeros(0, 4)
    boxes = [none if each is None else get_box_tensor(each.bboxes) for each in regions or ()]
    if not any(len(each) for each in boxes):
        return None
    padded = pad_sequence(boxes, batch_first=True)
    if priors.size(1) == 4:
        return covered_share(padded, priors) > share
    x, y = priors.unbind(1)
    x1, y1, x2, y2 = (side[..., None] for side in padded.unbind(-1))
    return ((x > x1) & (x < x2) & (y > y1) & (y < y2)).any(1)
