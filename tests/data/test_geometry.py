"""Where views lie, and what their pixels are."""

import numpy as np
import pytest

from harl_tf.data import RandomResizedCrop
from harl_tf.data.geometry import (
    ATTEMPTS,
    DRAWS,
    Window,
    choose_window,
    cut_image,
    cut_mask,
    draw_window,
)


def windows(draws, heights, widths, crop):
    """One window per row of draws."""
    rows = zip(draws.tolist(), heights, widths, strict=True)
    return np.array([draw_window(own, int(h), int(w), crop) for own, h, w in rows])


def view_of(image, window, size):
    return cut_image(image, window, np.empty((size, size, 3), np.uint8))


def mask_of(mask, window, size):
    return cut_mask(mask, window, np.empty((size, size), mask.dtype))


def draw_many(heights, widths, crop, seed=0):
    random = np.random.default_rng(seed)
    draws = random.uniform(size=(len(heights), DRAWS)).astype("float32")
    return draws, windows(draws, heights, widths, crop)


def coordinates(height, width):
    """An image whose red is twice the column and green twice the row."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([2 * columns, 2 * rows, 0 * rows], axis=-1).astype("uint8")


@pytest.mark.parametrize(
    "crop",
    [
        RandomResizedCrop(),
        RandomResizedCrop(area=(0.08, 0.3), aspect_ratio=(0.5, 2.0)),
        RandomResizedCrop(area=(1.0, 1.0), aspect_ratio=(1.0, 1.0)),
    ],
)
def test_windows_lie_inside_and_keep_the_ranges(crop):
    """400 images. Sides are rounded by half a pixel, so areas by (h + w) / 2 and 1/4 at most.

    Where none of the ten tries fits, the window is the largest centred one: its area may be
    outside the range, its ratio is not.
    """
    random = np.random.default_rng(1)
    heights, widths = random.integers(20, 200, (2, 400))
    draws, result = draw_many(heights, widths, crop)
    top, left, height, width, flip = result.T
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (height >= 1).all()
    assert (width >= 1).all()
    assert (top + height <= heights).all()
    assert (left + width <= widths).all()
    assert (flip == (draws[:, -1] < 0.5)).all()
    low, high = crop.aspect_ratio
    assert ((width + 0.51) / (height - 0.51) >= low).all()
    assert ((width - 0.51) / (height + 0.51) <= high).all()
    found = ~((height == heights) | (width == widths))
    slack = (height + width) / 2 + 1
    area, whole = height * width, heights * widths
    assert (area + slack >= crop.area[0] * whole)[found].all()
    assert (area - slack <= crop.area[1] * whole)[found].all()


def test_windows_follow_the_draws():
    """Area uniform, ratio log-uniform, place uniform: the first try, which fits, in NumPy."""
    crop = RandomResizedCrop(area=(0.1, 0.4), aspect_ratio=(0.8, 1.25))
    draws, result = draw_many([120] * 300, [100] * 300, crop)
    area = (0.1 + 0.3 * draws[:, 0].astype(float)) * 12000
    ratio = np.exp(np.log(0.8) + draws[:, ATTEMPTS].astype(float) * np.log(1.25 / 0.8))
    height, width = np.sqrt(area / ratio), np.sqrt(area * ratio)
    assert np.abs(result[:, 2] - height).max() <= 0.5001
    assert np.abs(result[:, 3] - width).max() <= 0.5001
    top = np.floor(draws[:, -3] * (120 - result[:, 2] + 1))
    left = np.floor(draws[:, -2] * (100 - result[:, 3] + 1))
    np.testing.assert_array_equal(result[:, :2], np.stack([top, left], axis=-1))


def test_windows_reach_every_edge_for_draws_next_to_one():
    """0.99999994 (H - h + 1) is below H - h + 1: the last place, not one beyond."""
    draws = np.full((1, DRAWS), 0.99999994, "float32")
    for side in (33, 97, 1000, 4097):
        crop = RandomResizedCrop(area=(0.2, 0.3), aspect_ratio=(1.0, 1.0))
        top, left, height, width, flip = windows(draws, [side], [side], crop)[0]
        assert (top + height, left + width, flip) == (side, side, 0)


def test_windows_skip_tries_that_do_not_fit():
    """Try 0 is the whole area at the ratio 4/3 on a square, 115 wide: no; try 1 is 1/4: 50×50."""
    draws = np.full((1, DRAWS), 0.5, "float32")
    draws[0, :2] = 1.0, 0.0
    draws[0, ATTEMPTS] = 1.0
    crop = RandomResizedCrop(area=(0.25, 1.0))
    assert windows(draws, [100], [100], crop)[0].tolist() == [25, 25, 50, 50, 0]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1, 400), (0, 200, 1, 1)), ((400, 1), (200, 0, 1, 1)), ((30, 400), (0, 180, 30, 40))],
)
def test_windows_fall_back_to_the_center_of_narrow_images(size, expected):
    """No try of 20 % or more fits; the largest window of ratio 4/3 (or 3/4) is 1 or 40 wide.

    It begins at floor((W - w + 1) / 2): (400 - 1 + 1) / 2 = 200, (400 - 40 + 1) / 2 = 180.
    """
    _, result = draw_many([size[0]] * 5, [size[1]] * 5, RandomResizedCrop())
    assert result[:, :4].tolist() == [list(expected)] * 5


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_windows_flip_never_or_always(probability):
    crop = RandomResizedCrop(flip_probability=probability)
    _, result = draw_many([50] * 50, [60] * 50, crop)
    assert (result[:, 4] == probability).all()


@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize("window", [(5, 7, 40, 60), (0, 0, 90, 120), (50, 100, 8, 10)])
def test_views_lie_where_the_formula_says(window, flip):
    """x = left + (j + 1/2) w/S - 1/2, kept inside the window, mirrored j → S-1-j.

    Red and green are 2x and 2y, so rounding leaves x and y known to a quarter of a pixel. OpenCV
    rounds weights too, so that a value may be two thirds of a level off: a third of a pixel.
    """
    size = 16
    view = view_of(coordinates(90, 120), Window(*window, flip), size)
    top, left, height, width = window
    steps = (np.arange(size) + 0.5) / size
    x = left + np.clip(steps * width - 0.5, 0, width - 1)
    y = top + np.clip(steps * height - 0.5, 0, height - 1)
    x = x[::-1] if flip else x
    assert np.abs(view[..., 0] / 2 - x[None, :]).max() <= 1 / 3
    assert np.abs(view[..., 1] / 2 - y[:, None]).max() <= 1 / 3


@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize("window", [(5, 7, 40, 60), (50, 100, 8, 10)])
def test_masks_take_the_nearest_pixel_in_step_with_the_image(window, flip):
    """The mask is twice the column number: of the pixel under the view's pixel center."""
    image = coordinates(90, 120)
    mask = mask_of(image[..., 0].copy(), Window(*window, flip), 16)
    columns = window[1] + np.floor((np.arange(16) + 0.5) / 16 * window[3])
    columns = columns[::-1] if flip else columns
    np.testing.assert_array_equal(mask, np.tile(2 * columns, (16, 1)))


def test_views_of_a_binary_mask_stay_binary():
    mask = np.random.default_rng(0).integers(0, 2, (50, 60)).astype("uint8")
    cut = mask_of(mask, Window(3, 4, 30, 41, 1), 24)
    assert set(np.unique(cut)) == {0, 1}


def test_views_of_the_whole_image_at_its_size_are_the_image():
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype("uint8")
    window = Window(0, 0, 20, 20, 0)
    np.testing.assert_array_equal(view_of(image, window, 20), image)
    np.testing.assert_array_equal(mask_of(image[..., 0].copy(), window, 20), image[..., 0])


def test_masks_of_16_bits_are_cut_as_they_are():
    mask = np.arange(600, dtype=np.uint16).reshape(20, 30)
    np.testing.assert_array_equal(mask_of(mask, Window(2, 5, 12, 12, 0), 12), mask[2:14, 5:17])


def test_window_on_a_grid_lies_within_the_window_but_for_its_corner():
    """Multiples of 4 below 7, 8, 50 and 61; a quarter of them in a copy 4 times smaller."""
    window = Window(7, 8, 50, 61, 1).on_grid(4)
    assert window == (4, 8, 48, 60, 1)
    assert window.scaled_down(4) == (1, 2, 12, 15, 1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"area": (0.0, 1.0)}, r"Expected 0 < area\[0\] ≤ area\[1\] ≤ 1. Received: area="),
        ({"area": (0.5, 0.2)}, r"Expected 0 < area\[0\] ≤ area\[1\] ≤ 1. Received: area="),
        ({"area": (0.5, 1.2)}, r"Expected 0 < area\[0\] ≤ area\[1\] ≤ 1. Received: area="),
        ({"aspect_ratio": (2.0, 0.5)}, r"Expected 0 < aspect_ratio\[0\] ≤ aspect_ratio\[1\]."),
        ({"flip_probability": 1.5}, r"Expected flip_probability within \[0, 1\]. Received"),
    ],
)
def test_crop_out_of_range(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        RandomResizedCrop(**settings)


def test_window_with_enough_foreground_is_the_first_drawn_of_those():
    """Foreground is the left half: windows are drawn until one has more than 60 % of it."""
    mask = np.zeros((40, 60), np.uint8)
    mask[:, :30] = 2
    crop = RandomResizedCrop(area=(0.1, 0.3), minimum_foreground=0.6, windows=4)
    several = 0
    for seed in range(40):
        draws = np.random.default_rng(seed).uniform(size=(4, DRAWS)).astype("float32")
        drawn = [draw_window(row, 40, 60, crop) for row in draws.tolist()]
        shares = [(mask[t : t + h, w0 : w0 + w] > 0).mean() for t, w0, h, w, _ in drawn]
        first = next((i for i, share in enumerate(shares) if share > 0.6), 3)
        assert choose_window(draws.ravel().tolist(), mask, crop) == drawn[first]
        several += first > 0
    assert several > 5


def test_window_without_a_minimum_takes_the_first_whatever_it_shows():
    draws = np.random.default_rng(0).uniform(size=DRAWS).tolist()
    crop = RandomResizedCrop()
    chosen = choose_window(draws, np.zeros((40, 60), np.uint8), crop)
    assert chosen == draw_window(draws, 40, 60, crop)


@pytest.mark.parametrize("arguments", [{"minimum_foreground": 1.0}, {"windows": 0}])
def test_window_minimum_out_of_range(arguments):
    with pytest.raises(ValueError, match="Expected minimum_foreground within"):
        RandomResizedCrop(**arguments)
