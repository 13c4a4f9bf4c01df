"""The images on which models differ most, with every box judged.

Shape shorthand in this module:
    G: ground truths of an image
    D: its detections above the threshold
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO

from mmthermal.common.boxes import Floats
from mmthermal.common.display import read_image, to_display
from mmthermal.common.pages import data_uri
from mmthermal.evaluation.coco_columns import is_crowd
from mmthermal.evaluation.greedy import LARGEST_THR, MISSED, find_pairs, match_once
from mmthermal.evaluation.overlap import largest_overlap

OVERLAP_STEPS = (0.1, 0.3, 0.5)
HIT, ERROR, IGNORED = "hit", "error", "ignored"


@dataclass(frozen=True)
class Judged:
    """Detections against their ground truth.

    Attributes:
        states: (D,) 'hit', 'error' or 'ignored' (on a crowd region).
        found: (G,) whether each ground truth was found; True for crowd regions.
    """

    states: list[str]
    found: list[bool]

    @property
    def num_errors(self) -> int:
        """False detections plus missed objects."""
        return self.states.count(ERROR) + self.found.count(False)


def judge(
    gts: Sequence[Mapping[str, Any]],
    detections: Sequence[Mapping[str, Any]],
    *,
    iou_thr: float = 0.5,
) -> Judged:
    """Match detections to ground truth of the same class, the surest first, as COCO does.

    Args:
        gts: COCO annotations of one image.
        detections: COCO results of the same image.
        iou_thr: smallest IoU of a hit, in (0, 1].
    """
    crowd = np.array([is_crowd(gt) for gt in gts], dtype=bool)
    order = np.argsort([-float(det["score"]) for det in detections], kind="stable")
    classes = np.array([det["category_id"] for det in detections], dtype=np.int64)[order]
    pairs = find_pairs(
        _boxes(detections)[order],
        classes,
        _boxes(gts),
        np.array([gt["category_id"] for gt in gts], dtype=np.int64),
        crowd,
        min_iou=min(iou_thr, LARGEST_THR),
    )
    taken = match_once(pairs, classes, crowd, crowd, iou_thr)
    states = np.full(len(detections), ERROR, dtype=object)
    hit = taken != MISSED
    states[order[hit]] = np.where(crowd[taken[hit]], IGNORED, HIT)
    found = crowd.copy()
    found[taken[hit]] = True
    return Judged(states.tolist(), found.tolist())


def _boxes(records: Sequence[Mapping[str, Any]]) -> Floats:
    """(N, 4) boxes of COCO annotations or results."""
    return np.array([record["bbox"] for record in records], dtype=np.float64).reshape(-1, 4)


def choose_images(
    gains: NDArray[np.float64],
    tags: Sequence[set[str]],
    *,
    size: int = 48,
) -> list[int]:
    """Choose the images with the largest differences, some for every tag.

    Half of the places go to the largest differences of all, in either direction; the rest go
    to the tags that are shown least, so that every filter of the gallery shows something.

    Args:
        gains: (N,) errors of the baseline minus errors of the candidate.
        tags: per image its classes and kinds of overlap.
        size: how many at most.

    Returns:
        Indices, the largest difference first; images without a difference are left out.
    """
    by_size = [int(i) for i in np.argsort(-np.abs(gains), kind="stable") if gains[i] != 0]
    chosen = dict.fromkeys(by_size[: (size + 1) // 2])
    while len(chosen) < size:
        left = [i for i in by_size if i not in chosen]
        open_tags = {tag for i in left for tag in tags[i]}
        if not open_tags:
            break
        shown = {tag: sum(tag in tags[i] for i in chosen) for tag in open_tags}
        rarest = min(sorted(open_tags), key=shown.__getitem__)
        chosen[next(i for i in left if rarest in tags[i])] = None
    return sorted(chosen, key=by_size.index)


def gallery_records(
    ground_truth: COCO,
    detections_above: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]],
    seeds: Sequence[int],
    *,
    cat_ids: Sequence[int],
    size: int = 48,
) -> list[dict[str, Any]]:
    """Choose the images on which models differ most and judge every box on them.

    Args:
        ground_truth: COCO annotations.
        detections_above: per model and seed the detections at its operating point; the baseline
            first.
        seeds: one per list of detections.
        cat_ids: ids of the classes to judge and show.
        size: how many images at most.

    Returns:
        One record per image, the largest difference first: its ground truth, and per model the
        judged detections of the seed whose difference is nearest to the mean over seeds.
    """
    names = {cat["id"]: cat["name"] for cat in ground_truth.dataset["categories"]}
    img_ids = sorted(ground_truth.imgs)
    detections = {
        name: [_by_image(found) for found in per_seed]
        for name, per_seed in detections_above.items()
    }
    gts = {
        i: [gt for gt in ground_truth.imgToAnns.get(i, []) if gt["category_id"] in cat_ids]
        for i in img_ids
    }
    errors = {
        name: np.array(
            [[judge(gts[i], seed.get(i, [])).num_errors for seed in per_seed] for i in img_ids],
            dtype=float,
        ).reshape(len(img_ids), -1)
        for name, per_seed in detections.items()
    }
    baseline, *candidates = list(detections)
    gains = np.stack([errors[baseline] - errors[name] for name in candidates])
    mean_gains = gains.mean(axis=2)
    strongest = np.abs(mean_gains).argmax(axis=0)
    gain = mean_gains[strongest, np.arange(len(img_ids))]
    overlaps = {i: _largest_ious(gts[i]) for i in img_ids}
    tags = [_tags(gts[i], overlaps[i], names) for i in img_ids]
    out = []
    for n in choose_images(gain, tags, size=size):
        i = img_ids[n]
        typical = int(np.abs(gains[strongest[n], n] - gain[n]).argmin())
        shown = {name: per_seed[typical].get(i, []) for name, per_seed in detections.items()}
        out.append(
            {
                "image_id": i,
                **{key: ground_truth.imgs[i][key] for key in ("file_name", "width", "height")},
                "seed": seeds[typical],
                "gain": float(gain[n]),
                "candidate": candidates[strongest[n]],
                **_truth_record(gts[i], overlaps[i], names),
                "panels": {name: _panel(gts[i], dets, names) for name, dets in shown.items()},
            }
        )
    return out


def _truth_record(
    gts: Sequence[Mapping[str, Any]], overlaps: Sequence[float], names: Mapping[int, str]
) -> dict[str, Any]:
    """The ground truth of an image, and how much it overlaps."""
    return {
        "classes": sorted({names[gt["category_id"]] for gt in gts}),
        "largest_iou": float(max(overlaps, default=0.0)),
        "gts": [
            {
                "bbox": gt["bbox"],
                "class": names[gt["category_id"]],
                "iou": round(float(iou), 3),
                "crowd": is_crowd(gt),
            }
            for gt, iou in zip(gts, overlaps, strict=True)
        ],
    }


def _panel(
    gts: Sequence[Mapping[str, Any]],
    detections: Sequence[Mapping[str, Any]],
    names: Mapping[int, str],
) -> dict[str, Any]:
    """One model's judged detections of an image."""
    judged = judge(gts, detections)
    return {
        "errors": judged.num_errors,
        "found": judged.found,
        "detections": [
            {
                "bbox": [round(float(v), 1) for v in det["bbox"]],
                "class": names[det["category_id"]],
                "score": round(float(det["score"]), 3),
                "state": state,
            }
            for det, state in zip(detections, judged.states, strict=True)
        ],
    }


def _largest_ious(gts: Sequence[Mapping[str, Any]]) -> list[float]:
    values: list[float] = largest_overlap(
        [gt["bbox"] for gt in gts],
        [gt["category_id"] for gt in gts],
        [is_crowd(gt) for gt in gts],
    )["iou"].tolist()
    return values


def _tags(
    gts: Sequence[Mapping[str, Any]], overlaps: Sequence[float], names: Mapping[int, str]
) -> set[str]:
    largest = max(overlaps, default=0.0)
    tags = {f"class {names[gt['category_id']]}" for gt in gts}
    return tags | {f"overlap {step}" for step in OVERLAP_STEPS if largest > step}


def _by_image(detections: Iterable[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    out: dict[int, list[Mapping[str, Any]]] = {}
    for det in detections:
        out.setdefault(det["image_id"], []).append(det)
    return out


def picture_uri(path: str | Path, *, max_side: int = 480) -> str | None:
    """Picture as a data URI: PNG while small, else JPEG.

    Thermal pictures go through the gain control of `mmthermal.common.display`.

    Args:
        path: image file of any depth.
        max_side: longest side in pixels; larger pictures are made smaller.

    Returns:
        None where the file is missing or no picture.
    """
    try:
        image = read_image(str(path))
    except (FileNotFoundError, ValueError):
        return None
    picture = to_display(image)
    if image.ndim == 2:
        picture = picture[..., 0]
    scale = max_side / max(picture.shape[:2])
    if scale < 1:
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        picture = np.asarray(
            cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    small = picture.shape[0] * picture.shape[1] <= 200 * 200
    done, encoded = (
        cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if small
        else cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    )
    if not done:
        return None
    kind = "png" if small else "jpeg"
    return data_uri(encoded.tobytes(), kind)
