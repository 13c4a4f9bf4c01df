"""The paper's formulas in slow, plain Python floats.

An oracle for the tests: written from the paper alone, with loops and lists, it imports neither
torch nor the package that it checks. Sections in comments are the paper's.

Shorthand: P positives, H mined hard negatives, C class columns.
"""

import math
from collections.abc import Callable, Sequence

Row = Sequence[float]


def sigmoid(x: float) -> float:
    """The probability of a logit."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def log_sigmoid(x: float) -> float:
    """The logarithm of the probability of a logit."""
    return -math.log1p(math.exp(-x)) if x >= 0 else x - math.log1p(math.exp(x))


def box_loss(
    pred: Row, target: Row, delta: float = 1.0, form: str = "paper", norm: str = "coordinate"
) -> float:
    """Section 2, L_box, of one box; section 3 for the vectors whose length is meant."""
    diffs = [p - t for p, t in zip(pred, target, strict=True)]
    if norm == "vector":
        distances = [math.hypot(diffs[0], diffs[1]), math.hypot(diffs[2], diffs[3])]
    else:
        distances = [abs(d) for d in diffs]
    loss = 0.0
    for d in distances:
        if form == "paper":
            loss += 0.5 * d**2 if d <= delta else d - 0.5 * delta
        elif form == "huber":
            loss += 0.5 * d**2 if d <= delta else delta * (d - 0.5 * delta)
        elif form == "smooth_l1":
            loss += 0.5 * d**2 / delta if d < delta else d - 0.5 * delta
        else:
            raise KeyError(form)
    return loss


def focal(logit: float, true: bool, alpha: float = 0.25, gamma: float = 2.0) -> float:
    """Section 2, L_cls, of one element: -alpha_t (1 - p_t)^gamma log(p_t)."""
    z = logit if true else -logit
    alpha_t = alpha if true else 1 - alpha
    return -alpha_t * sigmoid(-z) ** gamma * log_sigmoid(z)


def f_beta(
    probs: Sequence[Row],
    targets: Sequence[Row],
    beta: float = 1.0,
    eps: float = 1e-6,
    average: str = "micro",
    weights: Sequence[float] | None = None,
    num_classes: int | None = None,
) -> float:
    """Section 2, F1, with the appendix's tp, fp, fn, epsilons and beta."""
    num_classes = num_classes if num_classes is not None else len(probs[0])
    weights = weights if weights is not None else [1.0] * len(probs)
    tp, fp, fn, support = ([0.0] * num_classes for _ in range(4))
    for row, truth, w in zip(probs, targets, weights, strict=True):
        for c, (p, t) in enumerate(zip(row, truth, strict=True)):
            tp[c] += w * p * t
            fp[c] += w * p * (1 - t)
            fn[c] += w * (1 - p) * t
            support[c] += w * t

    def score(tp: float, fp: float, fn: float) -> float:
        precision = tp / (tp + fp + eps)
        recall = tp / (tp + fn + eps)
        return (1 + beta**2) * precision * recall / (beta**2 * precision + recall + eps)

    if average == "micro":
        return score(sum(tp), sum(fp), sum(fn))
    present = [c for c in range(num_classes) if support[c] > 0]
    if not present:
        return 0.0
    return sum(score(tp[c], fp[c], fn[c]) for c in present) / len(present)


def mean(
    a: float,
    b: float,
    mean: str = "paper",
    shift: float = 0.1,
    eps: float = 1e-6,
    share: float = 0.5,
) -> float:
    """Algorithm 2, lines 13 to 15, or the shifted mean with a share for b."""
    if mean == "paper":
        return {0.0: a, 0.5: math.sqrt(max(a * b, eps)), 1.0: b}[share]
    return (a + shift) ** (1 - share) * (b + shift) ** share - shift


def hardest(scores: Sequence[float], k: int) -> list[int]:
    """Algorithm 2, lines 7 to 10, with the lower index first among equals."""
    return sorted(sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:k])


def mine(
    scores: Sequence[Row],
    candidates: Sequence[Sequence[bool]],
    positives: Sequence[Sequence[bool]],
    ratio: float,
    min_neg: int,
    scope: str,
) -> list[int]:
    """Algorithm 2, lines 3 to 10, on the anchors of some images; indices into all anchors."""
    num_anchors = len(scores[0])
    groups = [[i] for i in range(len(scores))] if scope == "image" else [list(range(len(scores)))]
    picked: list[int] = []
    for images in groups:
        pool = [(i, j) for i in images for j in range(num_anchors) if candidates[i][j]]
        num_pos = sum(sum(positives[i]) for i in images)
        wanted = len(pool) if math.isinf(ratio) else math.floor(ratio * num_pos)
        wanted = max(wanted, min_neg * len(images))
        pool.sort(key=lambda ij: (-scores[ij[0]][ij[1]], ij))
        picked += [i * num_anchors + j for i, j in pool[:wanted]]
    return sorted(picked)


def one_hot(label: int, num_classes: int) -> list[float]:
    """1 in the label's column, 0 elsewhere."""
    return [float(c == label) for c in range(num_classes)]


def final_loss(
    pos_logits: Sequence[Row],
    pos_labels: Sequence[int],
    neg_logits: Sequence[Row],
    pos_boxes: Sequence[tuple[Row, Row]] = (),
    *,
    w_cls: float = 1.0,
    w_box: float = 1.0,
    alpha: float = 0.25,
    gamma: float = 2.0,
    delta: float = 1.0,
    form: str = "huber",
    norm: str = "coordinate",
    mean_form: str = "shifted",
    shift: float = 0.1,
    f1_share: float = 0.5,
    cls_negatives: str = "separate",
    f1_negatives: str = "background",
    f1_average: str = "micro",
    f1_normalize: str = "none",
    beta: float = 1.0,
    eps: float = 1e-6,
    pos_weights: Sequence[float] | None = None,
    neg_weights: Sequence[float] | None = None,
    num_classes: int | None = None,
) -> dict[str, float]:
    """Section 2, L_final, with every option: its terms, ``combined``, ``box`` and ``final``."""
    num_classes = num_classes if num_classes is not None else len([*pos_logits, *neg_logits][0])
    n_pos, n_neg = len(pos_logits), len(neg_logits)
    pos_w = pos_weights if pos_weights is not None else [1.0] * n_pos
    neg_w = neg_weights if neg_weights is not None else [1.0] * n_neg
    pos_t = [one_hot(label, num_classes) for label in pos_labels]
    neg_t = [[0.0] * num_classes for _ in neg_logits]

    def sum_focal(logits: Sequence[Row], targets: Sequence[Row], weights: Sequence[float]) -> float:
        return sum(
            w * focal(x, t == 1, alpha, gamma)
            for row, truth, w in zip(logits, targets, weights, strict=True)
            for x, t in zip(row, truth, strict=True)
        )

    def f1_loss(
        logits: Sequence[Row], targets: Sequence[Row], weights: Sequence[float], count: int
    ) -> float:
        probs = [[sigmoid(x) for x in row] for row in logits]
        loss = 1 - f_beta(probs, targets, beta, eps, f1_average, weights, num_classes)
        return loss / max(count, 1) if f1_normalize == "count" else loss

    def g(a: float, b: float, share: float = 0.5) -> float:
        return mean(a, b, mean_form, shift, eps, share)

    sum_pos = sum_focal(pos_logits, pos_t, pos_w)
    sum_neg = sum_focal(neg_logits, neg_t, neg_w)
    cls_pos = sum_pos / n_pos if n_pos else 0.0
    cls_neg = sum_neg / n_neg if n_neg else 0.0
    box = sum(box_loss(p, t, delta, form, norm) for p, t in pos_boxes) / n_pos if n_pos else 0.0

    f1_pos = f1_loss(pos_logits, pos_t, pos_w, n_pos)
    if f1_negatives == "background":
        background = [[-x for x in row] for row in neg_logits]  # p_bg = 1 - p
        ones = [[1.0] * num_classes for _ in neg_logits]
        f1_neg = f1_loss(background, ones, neg_w, n_neg)
    elif f1_negatives == "paper":
        f1_neg = f1_loss(neg_logits, neg_t, neg_w, n_neg)
    elif f1_negatives == "joint":
        f1_pos = f1_neg = f1_loss(
            [*pos_logits, *neg_logits], [*pos_t, *neg_t], [*pos_w, *neg_w], n_pos + n_neg
        )
    else:
        f1_neg = f1_pos

    if n_pos == 0:
        combined = cls_neg
    else:
        single = f1_negatives in ("joint", "ignore")
        l_f1 = f1_pos if single or n_neg == 0 else g(f1_pos, f1_neg)
        if cls_negatives == "joint":
            l_cls = (sum_pos + sum_neg) / n_pos
        else:
            l_cls = g(cls_pos, cls_neg) if n_neg else cls_pos
        combined = g(l_cls, l_f1, f1_share)
    return {
        "cls_pos": cls_pos,
        "cls_neg": cls_neg,
        "f1_pos": f1_pos,
        "f1_neg": f1_neg,
        "combined": combined,
        "box": box,
        "final": w_cls * combined + w_box * box,
    }


def algorithm_2(
    pos_logits: Sequence[Row],
    pos_labels: Sequence[int],
    all_neg_logits: Sequence[Row],
    pos_boxes: Sequence[tuple[Row, Row]],
    *,
    r: float,
    alpha: float,
    gamma: float,
    delta: float,
    eps: float,
    w_cls: float,
    w_box: float,
) -> float:
    """Algorithm 2, lines 2 to 16, line by line, with no option of ours.

    ``all_neg_logits`` are all negatives, to be mined from; there must be positives.
    """
    n_pos = len(pos_logits)  # line 4
    cls_neg_each = [sum(focal(x, False, alpha, gamma) for x in row) for row in all_neg_logits]
    k = min(math.floor(r * n_pos), len(all_neg_logits))  # line 5
    order = sorted(range(len(all_neg_logits)), key=lambda i: (-cls_neg_each[i], i))  # line 7
    hard = order[:k]  # lines 8 to 10

    pos_probs = [[sigmoid(x) for x in row] for row in pos_logits]
    pos_targets = [one_hot(label, len(pos_logits[0])) for label in pos_labels]
    neg_probs = [[sigmoid(x) for x in all_neg_logits[i]] for i in hard]
    neg_targets = [[0.0] * len(row) for row in neg_probs]

    cls_pos = sum(
        focal(x, t == 1, alpha, gamma)
        for row, truth in zip(pos_logits, pos_targets, strict=True)
        for x, t in zip(row, truth, strict=True)
    )
    f1_pos = 1 - f_beta(pos_probs, pos_targets, 1.0, eps)
    box_pos = sum(box_loss(p, t, delta) for p, t in pos_boxes)
    f1_neg = 1 - f_beta(neg_probs, neg_targets, 1.0, eps)
    pos = {name: loss / n_pos for name, loss in [("cls", cls_pos), ("f1", f1_pos)]}  # line 11
    hard_neg = {"cls": sum(cls_neg_each[i] for i in hard) / k, "f1": f1_neg / k}  # line 12
    l_cls = math.sqrt(max(pos["cls"] * hard_neg["cls"], eps))  # line 13
    l_f1 = math.sqrt(max(pos["f1"] * hard_neg["f1"], eps))  # line 14
    l_combined = math.sqrt(max(l_cls * l_f1, eps))  # line 15
    return w_cls * l_combined + w_box * box_pos / n_pos  # line 16


def simple_variant(
    pos_logits: Sequence[Row],
    pos_labels: Sequence[int],
    neg_logits: Sequence[Row],
    pos_boxes: Sequence[tuple[Row, Row]],
    *,
    alpha: float,
    gamma: float,
    delta: float,
    beta: float,
    eps: float,
) -> float:
    """The appendix's last formula: sqrt(L_cls L_F) + L_box, the mined negatives in L_cls only."""
    targets = [one_hot(label, len(pos_logits[0])) for label in pos_labels]
    probs = [[sigmoid(x) for x in row] for row in pos_logits]
    l_cls = sum(
        focal(x, t == 1, alpha, gamma)
        for row, truth in zip(pos_logits, targets, strict=True)
        for x, t in zip(row, truth, strict=True)
    )
    l_cls += sum(focal(x, False, alpha, gamma) for row in neg_logits for x in row)
    l_cls /= len(pos_logits)
    l_f = 1 - f_beta(probs, targets, beta, eps)
    l_box = sum(box_loss(p, t, delta) for p, t in pos_boxes) / len(pos_logits)
    return math.sqrt(max(l_cls * l_f, eps)) + l_box


def gradient(
    function: Callable[[list[float]], float], point: Sequence[float], step: float = 1e-5
) -> list[float]:
    """Finite differences of fourth order of a function of some numbers."""
    slopes = []
    for i in range(len(point)):

        def along(offset: float, i: int = i) -> float:
            moved = list(point)
            moved[i] += offset
            return function(moved)

        near = along(step) - along(-step)
        far = along(2 * step) - along(-2 * step)
        slopes.append((8 * near - far) / (12 * step))
    return slopes
