"""Masks by temperature: found where an object fills its box, refused elsewhere."""

import cv2
import numpy as np
import pytest

from mmthermal.datasets.object_masks import extent, largest_part, object_mask, visible_box


def scene(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(21000, 5, (60, 80)).astype(np.float32)


def ellipse(box: tuple[int, int, int, int]) -> np.ndarray:
    """Pixels of an ellipse that fills a box."""
    x0, y0, x1, y1 = box
    y, x = np.mgrid[:60, :80] + 0.5
    centre, half = ((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) / 2, (y1 - y0) / 2)
    return ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 <= 1


@pytest.mark.parametrize("contrast", [200, -200])
@pytest.mark.parametrize("scale", [1.0, 1 / 257])
def test_warm_and_cold_shapes_are_found_at_any_depth(contrast: float, scale: float) -> None:
    box = (20, 15, 38, 45)
    truth = ellipse(box)
    image = scene()
    image[truth] += contrast
    found = object_mask(image * np.float32(scale), np.array(box, np.float32))
    assert found is not None
    assert (found & truth).sum() / (found | truth).sum() > 0.97


def test_a_loose_label_is_filled_or_refused_by_its_sides() -> None:
    image = scene()
    truth = ellipse((20, 15, 38, 45))
    image[truth] += 200
    loose = np.array([16, 9, 42, 51], np.float32)  # 18 of 26 and 30 of 42 pixels
    assert object_mask(image, loose, min_fill=0.65, min_area=0.2) is not None
    assert object_mask(image, loose, min_fill=0.75, min_area=0.2) is None


def test_nothing_noise_and_specks_are_refused() -> None:
    image = scene()
    box = np.array([20, 15, 38, 45], np.float32)
    assert object_mask(image, box) is None
    assert object_mask(np.full((60, 80), 3, np.float32), box) is None
    image[10:14, 10:13] += 200
    assert object_mask(image, np.array([10, 10, 13, 14], np.float32)) is None  # three pixels wide
    image[30, 20:38] += 200  # a line through the box
    assert object_mask(image, box) is None
    assert object_mask(image, np.array([0, 0, 80, 60], np.float32)) is None  # no ring around it


def test_a_part_has_no_holes_and_is_the_largest() -> None:
    mask = np.zeros((30, 40), bool)
    mask[5:20, 5:25] = True
    mask[10:12, 10:12] = False
    mask[25, 30:33] = True
    expected = np.zeros_like(mask)
    expected[5:20, 5:25] = True
    np.testing.assert_array_equal(largest_part(mask), expected)
    number, _ = cv2.connectedComponents(mask.astype(np.uint8))
    assert number == 3  # background and two parts
    assert not largest_part(np.zeros((4, 4), bool)).any()


def test_a_side_moves_only_where_pixels_are_hidden() -> None:
    whole = np.zeros((60, 80), bool)
    whole[20:40, 30:50] = True
    box = np.array([28.5, 19.0, 51.0, 41.5], np.float32)  # with margins, as labels have them
    np.testing.assert_array_equal(extent(whole), [30, 20, 50, 40])
    np.testing.assert_array_equal(visible_box(box, whole, whole), box)
    left_hidden = whole.copy()
    left_hidden[:, :37] = False
    np.testing.assert_array_equal(visible_box(box, whole, left_hidden), [37, 19.0, 51.0, 41.5])
    middle_hidden = whole.copy()
    middle_hidden[25:30, 35:40] = False
    np.testing.assert_array_equal(visible_box(box, whole, middle_hidden), box)


@pytest.mark.parametrize(("contrast", "found"), [(18, False), (30, True)])
def test_less_than_three_deviations_of_the_background_are_noise(contrast, found) -> None:
    """Differences of the background are even up to 10: 7.4 as a deviation by their median."""
    image = np.random.default_rng(0).uniform(20990, 21010, (60, 80)).astype(np.float32)
    image[15:45, 20:38] = 21000 + contrast
    mask = object_mask(image, np.array([20, 15, 38, 45], np.float32))
    assert (mask is not None) == found
