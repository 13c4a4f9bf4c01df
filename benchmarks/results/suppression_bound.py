"""How much AP is lost with the objects that only suppressed detections find.

Takes detections from before the suppression, suppresses them as usual, and then gives each object
that none of the kept ones finds the best of the suppressed ones that do find it. What that gains is
the most that a rule can gain by suppressing less; what one could gain by suppressing more, or by
other scores, is not in it.

Example:
    python tools/test.py CONFIG CHECKPOINT --cfg-options model.test_cfg.nms.iou_threshold=1 \
        model.test_cfg.max_per_img=2000 test_evaluator.outfile_prefix=work_dirs/raw
    python benchmarks/results/suppression_bound.py VAL.json work_dirs/raw.bbox.json
"""

import argparse

import mmthermal  # noqa: F401 (first: mmdet finds mmcv's operators by it)

# isort: split
import numpy as np
import torch
from mmcv.ops import batched_nms

from mmthermal.evaluation import MatchTable, average_precision, load_ground_truth
from mmthermal.evaluation.coco_columns import read_results
from mmthermal.evaluation.greedy import MISSED


def kept_by_suppression(columns: list[np.ndarray], *, iou_thr: float, max_dets: int) -> np.ndarray:
    """Rows that a suppression within images and classes keeps.

    Args:
        columns: image ids (D,), category ids (D,), boxes (D, 4) as x, y, width, height, and
            scores (D,).
        iou_thr: a lower-scored detection goes where its IoU with a kept one is above this.
        max_dets: kept for each image.

    Returns:
        (K,) rows.
    """
    image_ids, category_ids, boxes, scores = columns
    corners = torch.from_numpy(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])).float()
    kept = []
    for image in np.unique(image_ids):
        rows = np.flatnonzero(image_ids == image)
        _, keep = batched_nms(
            corners[rows],
            torch.from_numpy(scores[rows]).float(),
            torch.from_numpy(category_ids[rows]),
            dict(type="nms", iou_threshold=iou_thr),
        )
        kept.append(rows[keep[:max_dets].numpy()])
    return np.concatenate(kept)


def main() -> None:
    """Print AP50 of both lists by subset."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ann_file", help="COCO file of the ground truth")
    parser.add_argument("detections", help="COCO results, not suppressed")
    parser.add_argument("--iou-thr", type=float, default=0.5)
    parser.add_argument("--max-dets", type=int, default=100)
    args = parser.parse_args()

    coco = load_ground_truth(args.ann_file)
    columns = list(read_results(args.detections))
    kept = kept_by_suppression(columns, iou_thr=args.iou_thr, max_dets=args.max_dets)
    suppressed = np.setdiff1d(np.arange(len(columns[0])), kept)
    usual = MatchTable.from_arrays(coco, *(column[kept] for column in columns))
    # every suppressed one is matched, too, so that no limit may cut the list
    rest = MatchTable.from_arrays(
        coco, *(column[suppressed] for column in columns), max_dets=len(columns[0])
    )
    found = usual.taken_gts()
    # greedily matched by falling score: an object's detection is the best that finds it
    candidates = rest.taken_gts()
    rescued = (candidates != MISSED) & ~np.isin(candidates, found[found != MISSED])
    dets = rest.dets
    added = [
        np.array(rest.img_ids)[dets["img"][rescued]],
        np.array(rest.cat_ids)[dets["cat"][rescued]],
        dets["box"][rescued],
        dets["score"][rescued],
    ]
    bound = MatchTable.from_arrays(
        coco,
        *(
            np.concatenate([column[kept], more])
            for column, more in zip(columns, added, strict=True)
        ),
    )
    print(f"{len(kept)} kept, {int(rescued.sum())} of {len(suppressed)} suppressed ones added")
    print("AP50         suppressed  bound  difference")
    for subset in ("all", "overlapped", "isolated"):
        before, after = (
            100 * average_precision(table, subset, iou_thr=0.5) for table in (usual, bound)
        )
        print(f"{subset:12} {before:10.1f} {after:6.1f} {after - before:+11.1f}")


if __name__ == "__main__":
    main()
