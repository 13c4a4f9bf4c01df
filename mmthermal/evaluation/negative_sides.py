"""Ground truths whose box has a negative width or height, which no evaluation can use."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmthermal.common.said_once import warn_once


def with_sides(
    annotations: Iterable[dict[str, Any]], left_out: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Leave out boxes with a negative width or height, as mmdet's data sets do in a training.

    Args:
        annotations: COCO annotations; what is no box at all stays, for other checks to name.
        left_out: gets those with a negative side.

    Returns:
        the others, in order.
    """
    kept: list[dict[str, Any]] = []
    for annotation in annotations:
        (left_out if _has_negative_side(annotation) else kept).append(annotation)
    return kept


def say_left_out(left_out: Sequence[Mapping[str, Any]], where: str) -> None:
    """Warn once of ground truths that :func:`with_sides` left out, if there are any.

    Args:
        left_out: those of an annotation file.
        where: names the file.
    """
    if left_out:
        first = left_out[0]
        warn_once(
            "negative-side",
            f"{where}: {len(left_out)} of the annotations have a negative width or height, such as "
            f"annotation {first['id']} with bbox {first['bbox']}: they are left out of the "
            "evaluation, as of a training. Write [x, y, width, height] with x, y of the top left "
            "corner",
        )


def _has_negative_side(annotation: Mapping[str, Any]) -> bool:
    try:
        return bool(min(annotation["bbox"][2:]) < 0)
    except (KeyError, TypeError, ValueError):  # no box of numbers
        return False
