"""Rounds keep what is hard, let the rest fade, and drop what turns out to be an object."""

import math

import numpy as np
import pytest

from mmthermal.mining.finding import MiningSettings
from mmthermal.mining.region_file import Region
from mmthermal.mining.rounds import GroundTruth, drop_covered, merge_rounds

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
