"""The plot of pairs: what it shows is stored in it."""

from pathlib import Path

import numpy as np
import pytest
from helpers_results import result_line
from PIL import Image

from mmthermal.studies.result_plot import drawn_pairs, pairs_of, save_pairs

PANEL = {"title": "ours", "candidate": {"name": "a"}, "baseline": {"name": "b"}}
METRICS = ("AP", "AP50", "overlapped_AP50", "isolated_AP50")


def lines(num_seeds: int) -> list[dict]:
    """Variant a is above b by 1, 2, … points, in every figure."""
    found = []
    for seed in range(num_seeds):
        for name, value in (("a", 0.51 + 0.01 * seed), ("b", 0.5)):
            found.append(result_line(name, seed, metrics=dict.fromkeys(METRICS, value)))
    return found


def test_differences_in_points_by_seed() -> None:
    panels = pairs_of(lines(3), [PANEL])
    assert list(panels) == ["ours (3 seeds)"]
    assert panels["ours (3 seeds)"]["overlapped_AP50"] == [1.0, 2.0, 3.0]


def test_two_seeds_make_no_panel() -> None:
    assert pairs_of(lines(2), [PANEL]) == {}


@pytest.mark.parametrize("num_panels", [1, 2, 3, 4, 5])
def test_the_picture_keeps_what_it_shows(tmp_path: Path, num_panels: int) -> None:
    panels = pairs_of(lines(4), [{**PANEL, "title": str(i)} for i in range(num_panels)])
    path = save_pairs(tmp_path / "pairs.png", panels)
    assert drawn_pairs(path) == panels and len(panels) == num_panels
    with Image.open(path) as image:
        assert np.asarray(image.convert("L")).std() > 5  # not blank
    assert [file.name for file in tmp_path.iterdir()] == ["pairs.png"]


def test_no_picture_and_a_foreign_picture_show_nothing(tmp_path: Path) -> None:
    assert drawn_pairs(tmp_path / "none.png") is None
    Image.new("L", (4, 4)).save(tmp_path / "foreign.png")
    assert drawn_pairs(tmp_path / "foreign.png") is None
