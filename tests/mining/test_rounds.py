"""Rounds keep what is hard, let the rest fade, and drop what turns out to be an object."""

import math

import numpy as np
import pytest

from mmthermal.mining.finding import GroundTruth, MiningSettings
from mmthermal.mining.region_file import Region
from mmthermal.mining.rounds import drop_covered, merge_rounds, mine_round
from mmthermal.mining.training_set import TrainingSet

SETTINGS = MiningSettings()


def region(image, x, *, loss=1.0, round_number=0, weight=1.0, first=0):
    return Region(image, (float(x), 0.0, 10.0, 10.0), 1, 0.5, loss, round_number, first, weight)


def truth(*boxes, crowd=False):
    return GroundTruth(np.array(boxes, dtype=float).reshape(-1, 4), np.full(len(boxes), crowd))


TRUTHS = {1: truth(), 2: truth([100, 100, 9, 9])}


def test_found_again_is_renewed_and_remembers_its_first_round():
    before = [region(1, 0, loss=0.3, weight=0.5)]
    found = [region(1, 2, loss=0.8, round_number=4, first=4)]  # IoU 8 / 12
    merged = merge_rounds(before, found, TRUTHS, SETTINGS)
    assert merged.regions == (region(1, 2, loss=0.8, round_number=4, first=0),)
    assert (merged.num_found, merged.num_again, merged.num_decayed) == (1, 1, 0)


def test_another_place_or_another_image_is_not_the_same():
    before = [region(1, 0)]
    found = [region(1, 6, round_number=1, first=1), region(2, 0, round_number=1, first=1)]
    merged = merge_rounds(before, found, TRUTHS, SETTINGS, decay=0.5, floor=0.2)
    assert merged.regions == (*found, region(1, 0, weight=0.5))
    assert (merged.num_again, merged.num_decayed) == (0, 1)


def test_not_found_fades_and_goes():
    regions = (region(1, 0),)
    weights = []
    for _ in range(4):
        merged = merge_rounds(regions, [], TRUTHS, SETTINGS, decay=0.5, floor=0.2)
        regions = merged.regions
        weights.append([r.weight for r in regions])
    assert weights == [[0.5], [0.25], [], []]  # 0.125 < 0.2


def test_covered_by_a_new_label_drops_out():
    # IoU 1/19 < 0.1 stays, the others lie on an object or in a crowd region
    before = [region(1, 0), region(2, 0), region(3, 0), region(4, 0)]
    truths = {
        1: truth([9, 0, 10, 10]),
        2: truth([5, 0, 10, 10]),
        3: truth([-50, -50, 200, 200], crowd=True),
    }
    assert drop_covered(before, truths, SETTINGS) == [region(1, 0)]  # image 4 is gone, too
    merged = merge_rounds(before, [], truths, SETTINGS)
    assert merged.num_covered == 3
    assert [r.image_id for r in merged.regions] == [1]


def test_rounds_stay_bounded():
    """Every round finds k regions elsewhere: the worst case."""
    k, decay, floor = 5, 0.5, 0.2
    truths = {i: truth() for i in range(k)}
    regions, sizes = (), []
    for number in range(12):
        found = [region(i, 20 * number, round_number=number, first=number) for i in range(k)]
        merged = merge_rounds(regions, found, truths, SETTINGS, decay=decay, floor=floor)
        regions = merged.regions
        sizes.append(len(regions))
    assert max(sizes) <= k * (1 + math.log(floor) / math.log(decay))
    assert sizes[-1] == sizes[-2] == 3 * k  # weights 1, 1/2, 1/4


def test_heaviest_and_hardest_first():
    before = [
        region(1, 0, loss=0.1, weight=1.0),
        region(1, 20, loss=0.9, weight=0.5),
        region(1, 40, loss=0.4, weight=1.0),
    ]
    merged = merge_rounds(before, [region(1, 60, loss=0.01)], TRUTHS, SETTINGS)
    assert [(r.weight, r.loss) for r in merged.regions] == [
        (1.0, 0.01),
        (0.5, 0.4),
        (0.5, 0.1),
        (0.25, 0.9),
    ]


@pytest.mark.parametrize("setting", [dict(decay=1.0), dict(decay=-0.1), dict(floor=0.0)])
def test_bad_settings(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        merge_rounds([], [], {}, SETTINGS, **setting)


def test_a_round_ranks_all_images_excludes_and_merges():
    """Two images with three objects, so that three of the four regions are kept."""
    images = TrainingSet(
        dataset=None,
        image_ids=["a", "b"],
        records=[],
        truths={"a": truth([100, 0, 5, 5], [120, 0, 5, 5]), "b": truth([100, 0, 5, 5])},
        paths={},
        categories=[],
    )
    rows = {
        1: [(0.0, 0.0, 10.0, 10.0, 1, 0.9), (50.0, 0.0, 10.0, 10.0, 1, 0.2)],
        0: [(0.0, 0.0, 10.0, 10.0, 2, 0.6), (50.0, 0.0, 10.0, 10.0, 2, 0.6)],
    }
    previous = [region("a", 1, weight=0.5), region("b", 80, weight=0.6), region("b", 99)]
    mined = mine_round(
        rows,
        images,
        previous,
        SETTINGS,
        round_number=7,
        exclusions={"a": np.array([[50.0, 0, 10, 10]])},
        decay=0.5,
        floor=0.2,
    )
    losses = [-0.75 * score**2 * math.log(1 - score) for score in (0.9, 0.6, 0.6)]
    found = mined.merged.regions
    assert [(r.image_id, r.bbox[0]) for r in found] == [("b", 0), ("a", 0), ("b", 80)]
    assert [r.loss for r in found[:2]] == pytest.approx(losses[:2], rel=1e-5)
    # the one in "a" was known since round 0, the one at 80 fades, the one at 99 is on an object
    assert [(r.round, r.first_round, r.weight) for r in found] == [
        (7, 7, 1),
        (7, 0, 1),
        (0, 0, 0.3),
    ]
    assert (mined.num_false_regions, mined.num_excluded) == (4, 1)
    assert mined.mean_loss == pytest.approx(sum(losses) / 3, rel=1e-5)
    assert (mined.merged.num_covered, mined.merged.num_again, mined.merged.num_decayed) == (1, 1, 1)


def test_a_round_without_any_region():
    images = TrainingSet(None, [1], [], {1: truth()}, {}, [])
    options = dict(round_number=0, exclusions={}, decay=0.5, floor=0.2)
    mined = mine_round({0: []}, images, [], SETTINGS, **options)
    assert (mined.merged.regions, mined.mean_loss) == ((), None)


def test_a_region_at_the_floor_stays():
    merged = merge_rounds([region(1, 0)], [], TRUTHS, SETTINGS, decay=0.5, floor=0.5)
    assert (merged.regions, merged.num_faded) == ((region(1, 0, weight=0.5),), 0)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_that_are_found_again_as_one_the_older_counts(order):
    before = [region(1, 0, first=2), region(1, 2, first=3)][::order]
    found = [region(1, 1, round_number=5, first=5)]
    (again,) = merge_rounds(before, found, TRUTHS, SETTINGS).regions
    assert (again.round, again.first_round) == (5, 2)
