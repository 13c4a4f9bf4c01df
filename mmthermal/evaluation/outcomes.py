"""What becomes of each ground truth at a score threshold: found, confused, merged, missed.

Shapes: C classes, D detections, G ground truths, R detections above the threshold.
"""

import numpy as np

from mmthermal.common.boxes import Bools, box_iou
from mmthermal.common.checks import check_range
from mmthermal.evaluation.greedy import LARGEST_THR, MISSED, Ints, find_pairs, match_once
from mmthermal.evaluation.match_table import MatchTable


def confusion(
    table: MatchTable, subset: str = "overlapped", *, score_thr: float, iou_thr: float = 0.5
) -> Ints:
    """Count which classes ground truths are taken for.

    Detections are first matched within their class, as for the average precision; those left
    over then with ground truths of other classes that are left over. So an entry off the
    diagonal means that the object's place was found, but no detection of its class.

    Args:
        table: the matched detections.
        subset: the subset's name; detections of ground truths outside are left out.
        score_thr: detections of at least this score are looked at.
        iou_thr: smallest IoU of a match, in (0, 1].

    Returns:
        (C + 1, C + 1) counts. Row: the ground truth's class, the last one for background;
        column: the detection's class, the last one for missed.

    Raises:
        ValueError: for a subset that the table lacks, or ``iou_thr`` out of range.
    """
    ignore = table.gt_ignore[table.subset_ind(subset)]
    num = len(table.cat_ids)
    rows = table.rows_by_score(score_thr=score_thr)
    inside, across = _match_across_classes(table, rows, ignore, iou_thr)
    taken = np.where(inside != MISSED, inside, across)
    matrix = np.zeros((num + 1, num + 1), dtype=np.int64)
    background = taken == MISSED
    np.add.at(matrix, (num, table.dets["cat"][rows[background]]), 1)
    hit = ~background
    hit[hit] = ~ignore[taken[hit]]
    np.add.at(matrix, (table.gts["cat"][taken[hit]], table.dets["cat"][rows[hit]]), 1)
    missed = ~ignore
    missed[taken[hit]] = False
    np.add.at(matrix, (table.gts["cat"][missed], num), 1)
    return matrix


def outcomes(
    table: MatchTable, subset: str = "overlapped", *, score_thr: float, iou_thr: float = 0.5
) -> dict[str, int]:
    """Count what becomes of the ground truths; each falls under the first that fits.

    - ``found``: by a detection of its class;
    - ``wrong_class``: its place is found, by a detection of another class alone;
    - ``merged``: one detection covers more than half of it and more than half of a ground
      truth with which it has an IoU above 0.1, and fits the box around both better than either;
    - ``loose``: a detection that finds no object has an IoU of 0.1 or more with it;
    - ``missed``: none of these.

    Args:
        table: the matched detections.
        subset: the subset's name.
        score_thr: detections of at least this score are looked at.
        iou_thr: smallest IoU of a match, in (0, 1].

    Returns:
        the five counts; their sum is ``table.num_gts(subset)``.

    Raises:
        ValueError: for a subset that the table lacks, or ``iou_thr`` out of range.
    """
    mine = ~table.gt_ignore[table.subset_ind(subset)]
    rows = table.rows_by_score(score_thr=score_thr)
    inside, across = _match_across_classes(table, rows, ~mine, iou_thr)
    free = rows[(inside == MISSED) & (across == MISSED)]
    touched = find_pairs(
        table.dets["box"][free],
        table.dets["img"][free],
        table.gts["box"],
        table.gts["img"],
        table.gts["crowd"],
        min_iou=0.1,
    )
    counts = {}
    for name, gts in (
        ("found", inside[inside != MISSED]),
        ("wrong_class", across[across != MISSED]),
        ("merged", _merged_pairs(table, rows)),
        ("loose", touched.second),
    ):
        fits = np.zeros_like(mine)
        fits[gts] = True
        counts[name] = int((mine & fits).sum())
        mine &= ~fits
    return {**counts, "missed": int(mine.sum())}


def pairs_found(
    table: MatchTable, score_thr: float, iou_thr: float = 0.5, *, min_overlap: float = 0.1
) -> dict[str, float]:
    """Of the pairs of overlapping ground truths, count those of which both are found.

    Args:
        table: the matched detections.
        score_thr: detections of at least this score are looked at.
        iou_thr: smallest IoU of a detection with its ground truth, in (0, 1].
        min_overlap: two ground truths whose IoU exceeds this are a pair.

    Returns:
        ``num_pairs``; ``both``, the share of pairs in which each object has a detection of
        its own, of any class; ``both_right``, the share in which both also have their
        class; ``one`` and ``none``, the shares with one and no object found. Shares are -1
        without pairs.

    Raises:
        ValueError: if ``iou_thr`` is out of range.
    """
    gt_pairs = _gt_pairs(table, min_overlap)
    if not len(gt_pairs):
        return {"num_pairs": 0, **dict.fromkeys(("both", "both_right", "one", "none"), -1.0)}
    rows = table.rows_by_score(score_thr=score_thr)
    inside, across = _match_across_classes(table, rows, table.gts["crowd"], iou_thr)
    right = np.zeros(len(table.gts["cat"]), dtype=bool)
    right[inside[inside != MISSED]] = True
    found = right.copy()
    found[across[across != MISSED]] = True
    count = found[gt_pairs].sum(axis=1)
    return {
        "num_pairs": len(gt_pairs),
        "both": float((count == 2).mean()),
        "both_right": float(right[gt_pairs].all(axis=1).mean()),
        "one": float((count == 1).mean()),
        "none": float((count == 0).mean()),
    }


def duplicates_per_gt(
    table: MatchTable,
    score_thr: float,
    iou_thr: float = 0.5,
    *,
    subset: str = "all",
    cat_id: int | None = None,
) -> float:
    """Second and further detections of a ground truth, per ground truth of the subset.

    A duplicate is an unmatched detection whose box fits a ground truth of its class in the
    subset well enough, that was already taken by a better-scored one.

    Args:
        table: the matched detections.
        score_thr: detections of at least this score are looked at.
        iou_thr: one of the thresholds.
        subset: the subset's name.
        cat_id: one class; all of them if None.

    Returns:
        A ratio of 0 or more, or -1 without ground truth.

    Raises:
        ValueError: for a subset, threshold or class that the table lacks.
    """
    s, t = table.subset_ind(subset), table.thr_ind(iou_thr)
    total = table.num_gts(subset, cat_id=cat_id)
    if not total:
        return -1.0
    unmatched = table.taken[:, s, t] == MISSED
    unmatched &= table.dets["score"][table.paired] >= score_thr
    if cat_id is not None:
        unmatched &= table.dets["cat"][table.paired] == table.cat_ind(cat_id)
    pairs = table.pairs
    fits = (pairs.iou >= table.iou_thrs[t]) & ~table.gt_ignore[s][pairs.second]
    return len(np.intersect1d(pairs.first[fits], table.paired[unmatched])) / total


def _match_across_classes(
    table: MatchTable, rows: Ints, ignore: Bools, iou_thr: float
) -> tuple[Ints, Ints]:
    """Match within classes, then what is left over across classes.

    Args:
        table: the detections and their ground truth.
        rows: (R,) detections, best first.
        ignore: (G,) ignored ground truths.
        iou_thr: smallest IoU of a match, in (0, 1].

    Returns:
        Two (R,) arrays: the ground truth taken within the class, and the one taken in the
        second step, ``MISSED`` for none.
    """
    check_range("iou_thr", iou_thr, 0, 1, open_low=True)
    crowd, images = table.gts["crowd"], table.dets["img"][rows]
    found = find_pairs(
        table.dets["box"][rows],
        images,
        table.gts["box"],
        table.gts["img"],
        crowd,
        min_iou=min(iou_thr, LARGEST_THR),
    )
    within = table.dets["cat"][rows][found.first] == table.gts["cat"][found.second]
    inside = match_once(found.where(within), table.det_groups[rows], ignore, crowd, iou_thr)
    open_gts = np.ones(len(crowd), dtype=bool)
    open_gts[inside[inside != MISSED]] = False
    open_gts |= crowd
    left = (inside[found.first] == MISSED) & open_gts[found.second] & ~within
    return inside, match_once(found.where(left), images, ignore, crowd, iou_thr)


def _merged_pairs(table: MatchTable, rows: Ints) -> Ints:
    """(N, 2) overlapping ground truths that one box holds together.

    More than half of each lies in it, and its IoU with the box around both is larger than that with
    either: one that fits a single object is not the box of its neighbour, too.

    Args:
        table: the detections and their ground truth.
        rows: (R,) detections whose boxes are looked at.
    """
    # the share of each ground truth that a detection covers: IoU with a crowd, turned round
    covers = find_pairs(
        table.gts["box"],
        table.gts["img"],
        table.dets["box"][rows],
        table.dets["img"][rows],
        np.ones(len(rows), dtype=bool),
        min_iou=float(np.nextafter(0.5, 1.0)),
    )
    covering = [set[int]() for _ in table.gts["box"]]
    for gt, row in zip(covers.first.tolist(), covers.second.tolist(), strict=True):
        covering[gt].add(row)
    pairs = _gt_pairs(table, 0.1)
    merged = [
        any(_holds_both(table, rows[row], a, b) for row in covering[a] & covering[b])
        for a, b in pairs.tolist()
    ]
    return pairs[np.array(merged, dtype=bool)]


def _holds_both(table: MatchTable, row: int, a: int, b: int) -> bool:
    """Whether a detection fits the box around two ground truths better than either of them."""
    first, second = table.gts["box"][[a, b]]
    low = np.minimum(first[:2], second[:2])
    high = np.maximum(first[:2] + first[2:], second[:2] + second[2:])
    around = np.concatenate([low, high - low])
    ious = box_iou(table.dets["box"][[row] * 3], np.stack([around, first, second]))
    return bool(ious[0] > ious[1:].max())


def _gt_pairs(table: MatchTable, min_overlap: float) -> Ints:
    """(N, 2) pairs of non-crowd ground truths of one image whose IoU exceeds the limit."""
    objects = np.flatnonzero(~table.gts["crowd"])
    boxes, images = table.gts["box"][objects], table.gts["img"][objects]
    pairs = find_pairs(
        boxes,
        images,
        boxes,
        images,
        np.zeros(len(objects), dtype=bool),
        min_iou=float(np.nextafter(min_overlap, 1.0)),
    )
    once = pairs.where(pairs.first < pairs.second)
    return np.stack([objects[once.first], objects[once.second]], axis=1)
