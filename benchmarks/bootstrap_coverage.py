"""How often do the intervals of `tools/compare.py` hold the true difference?

Two simulations with a known truth:

* mean: the per-image score difference is `a_seed + b_image + e_seed,image` (variance components);
* AP50: images with objects of shared difficulty, detections with scores, average precision with
  multiplicities; the truth is the difference on a large population of images and seeds.

Prints the coverage of nominal 95 % intervals as a Markdown table (docs/compare.md quotes it):

    python benchmarks/bootstrap_coverage.py --repeats 2000 --ap-repeats 300
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mmthermal.studies.resampling import image_multiplicities
from mmthermal.studies.statistics import (
    paired_comparison,
    paired_t_interval,
    percentile_interval,
)

# One repeat: differences (S,), resampled differences (B, S), and those without repeats (B, S).
Draw = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
METHODS = ("t over seeds", "images, repeats dropped", "seeds × images", "combined")


def mean_draws(
    rng: np.random.Generator,
    *,
    num_seeds: int,
    num_images: int,
    seed_share: float,
    repeats: int,
    resamples: int,
) -> Iterator[Draw]:
    """Differences of a mean score; the truth is 0.

    Args:
        rng: source of randomness.
        num_seeds: S.
        num_images: N.
        repeats: how many independent experiments.
        resamples: B.
        seed_share: part of the variance of the mean difference that new seeds make, in [0, 1].
    """
    sd_seed = np.sqrt(seed_share * num_seeds)
    sd_image = np.sqrt((1 - seed_share) * num_images)
    for _ in range(repeats):
        scores = (
            sd_seed * rng.standard_normal((1, num_seeds))
            + sd_image * rng.standard_normal((num_images, 1))
            + sd_image * rng.standard_normal((num_images, num_seeds))
        )
        counts = image_multiplicities(num_images, resamples, rng=rng)
        kept = counts > 0
        yield (
            scores.mean(axis=0),
            counts @ scores / num_images,
            kept @ scores / kept.sum(axis=1, keepdims=True),
        )


def weighted_ap(
    hits: NDArray[np.bool_],
    image_of: NDArray[np.int64],
    num_gts: NDArray[np.int64],
    counts: NDArray[np.int32],
) -> NDArray[np.float64]:
    """101-point average precision for many multiplicities at once.

    Args:
        hits: (D,) true positives, by falling score.
        image_of: (D,) image of each detection.
        num_gts: (N,) ground truths per image.
        counts: (B, N) multiplicities.

    Returns:
        (B,) average precision in [0, 1].
    """
    weights = counts[:, image_of].astype(np.float64)
    tp = np.cumsum(weights * hits, axis=1)
    recall = tp / np.maximum(counts @ num_gts, 1)[:, None]
    precision = tp / np.maximum(np.cumsum(weights, axis=1), 1)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    grid = np.linspace(0, 1, 101)
    values = np.empty(len(counts))
    for b in range(len(counts)):
        at = np.searchsorted(recall[b], grid)
        values[b] = np.append(precision[b], 0.0)[at].mean()
    return values


def simulate_ap_images(
    rng: np.random.Generator, num_images: int, skills: NDArray[np.float64]
) -> list[tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]]:
    """Detections of models of several skills on the same random images.

    Args:
        rng: source of randomness.
        num_images: N.
        skills: (M,) mean logit of the score of a true object, one per trained model.
    """
    num_gts = rng.poisson(4, num_images) + 1
    image_of_gt = np.repeat(np.arange(num_images), num_gts)
    image_hardness = 0.7 * rng.standard_normal(num_images)
    hardness = image_hardness[image_of_gt] + 0.7 * rng.standard_normal(len(image_of_gt))
    models = []
    for skill in skills:
        scores = skill - hardness + 0.7 * rng.standard_normal(len(hardness))
        num_fps = rng.poisson(3, num_images)
        fp_image = np.repeat(np.arange(num_images), num_fps)
        fp_scores = rng.standard_normal(len(fp_image)) - 0.3
        found = scores > -1
        all_scores = np.concatenate([scores[found], fp_scores])
        order = np.argsort(-all_scores, kind="stable")
        hit = np.arange(len(all_scores)) < found.sum()
        image_of = np.concatenate([image_of_gt[found], fp_image])
        models.append((hit[order], image_of[order], num_gts))
    return models


def ap_draws(
    rng: np.random.Generator,
    *,
    num_seeds: int,
    num_images: int,
    seed_sd: float,
    repeats: int,
    resamples: int,
) -> tuple[float, Iterator[Draw]]:
    """True difference of AP50 of two models, and repeats with `num_seeds` runs of each."""

    def skills(gain: float, number: int) -> NDArray[np.float64]:
        return 0.6 + gain + seed_sd * rng.standard_normal(number)

    def values(number: int, images: int, counts: NDArray[np.int32]) -> NDArray[np.float64]:
        models = simulate_ap_images(
            rng, images, np.concatenate([skills(0.0, number), skills(0.1, number)])
        )
        ap = np.stack([weighted_ap(*model, counts) for model in models], axis=1)
        return ap[:, number:] - ap[:, :number]

    many = 2000
    truth = float(
        np.mean([values(8, many, np.ones((1, many), np.int32)).mean() for _ in range(60)])
    )

    def draws() -> Iterator[Draw]:
        for _ in range(repeats):
            counts = image_multiplicities(num_images, resamples, rng=rng)
            whole = np.ones((1, num_images), np.int32)
            every = values(num_seeds, num_images, np.concatenate([whole, counts, counts > 0]))
            yield every[0], every[1 : resamples + 1], every[resamples + 1 :]

    return truth, draws()


def coverage(
    draws: Iterator[Draw], *, truth: float, num_images: int, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Share of repeats whose interval holds the truth, and the mean width, by method."""
    held: dict[str, list[bool]] = {name: [] for name in METHODS}
    width: dict[str, list[float]] = {name: [] for name in METHODS}
    for differences, resampled, deduplicated in draws:
        result = paired_comparison(differences, resampled, num_groups=num_images, rng=rng)
        intervals = (
            paired_t_interval(differences),
            percentile_interval(deduplicated.mean(axis=1)),
            result.bootstrap_interval,
            result.interval,
        )
        for name, interval in zip(METHODS, intervals, strict=True):
            held[name].append(interval.contains(truth))
            width[name].append(interval.high - interval.low)
    return {name: (float(np.mean(held[name])), float(np.mean(width[name]))) for name in METHODS}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--ap-repeats", type=int, default=300)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--num-images", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5, 10])
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| simulation | seeds | " + " | ".join(METHODS) + " |")
    print("|---|---|" + "---|" * len(METHODS))
    for num_seeds in args.seeds:
        for share in (0.1, 0.5, 0.9):
            draws = mean_draws(
                rng,
                num_seeds=num_seeds,
                num_images=args.num_images,
                seed_share=share,
                repeats=args.repeats,
                resamples=args.resamples,
            )
            row = coverage(draws, truth=0.0, num_images=args.num_images, rng=rng)
            print_row(f"mean, {share:.0%} of the variance from seeds", num_seeds, row)
        for seed_sd in (0.02, 0.1):
            truth, draws = ap_draws(
                rng,
                num_seeds=num_seeds,
                num_images=args.num_images,
                seed_sd=seed_sd,
                repeats=args.ap_repeats,
                resamples=args.resamples,
            )
            row = coverage(draws, truth=truth, num_images=args.num_images, rng=rng)
            print_row(f"AP50, sd of the skill {seed_sd}", num_seeds, row)


def print_row(name: str, num_seeds: int, row: dict[str, tuple[float, float]]) -> None:
    """Print one line of the table: coverage per method."""
    cells = " | ".join(f"{100 * row[method][0]:.1f} %" for method in METHODS)
    print(f"| {name} | {num_seeds} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
