"""PixPro's distance against the float64 reference and by hand, in float32."""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import cell_distance
from tests.reference import cell_geometry_numpy as ref

WHOLE = [0, 0, 100, 200, 0, 100, 200]


def random_windows(seed, batch):
    """Crops of images of different sizes, about half of them mirrored."""
    random = np.random.default_rng(seed)
    windows = []
    for _ in range(batch):
        size = random.integers(80, 500, 2)
        crop = random.integers(40, size + 1)
        start = random.integers(0, size - crop + 1)
        windows.append([*start, *crop, random.integers(0, 2), *size])
    return np.array(windows, np.int32)


def of_same_images(windows, other):
    """The other views must come from the same images."""
    scale = windows[:, 5:] / other[:, 5:]
    moved = other.copy()
    moved[:, 0:2] = np.floor(other[:, 0:2] * scale)
    moved[:, 2:4] = np.maximum(np.floor(other[:, 2:4] * scale), 1)
    moved[:, 5:] = windows[:, 5:]
    return moved


@pytest.mark.parametrize(
    ("grid1", "grid2"), [((1, 1), (1, 1)), ((2, 3), (2, 3)), ((3, 2), (4, 5)), ((7, 7), (7, 7))]
)
def test_cell_distance_agrees_with_the_reference(grid1, grid2):
    """Centres are right to 1e-7 of the image in float32, and cells 1e-2 of it: 1e-5 of a cell."""
    first = random_windows(0, 6)
    second = of_same_images(first, random_windows(1, 6))
    distance = cell_distance(tf.constant(first), tf.constant(second), grid1, grid2)
    assert distance.dtype == tf.float32
    expected = ref.cell_distance(first, second, grid1, grid2)
    assert 0 < first[:, 4].sum() < 6  # both mirrored views and others
    np.testing.assert_allclose(distance, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("flips", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_cell_distance_of_mirrored_views_agrees_with_the_reference(flips):
    """The same crop, each view mirrored or not: three columns tell left from right."""
    windows = [np.array([[12, 30, 60, 90, flip, 100, 160]], np.int32) for flip in flips]
    distance = cell_distance(*map(tf.constant, windows), (2, 3), (2, 3))
    expected = ref.cell_distance(*windows, (2, 3), (2, 3))
    np.testing.assert_allclose(distance, expected, rtol=1e-5, atol=1e-6)
    partners = expected[0].argmin(axis=1).tolist()
    assert partners == ([0, 1, 2, 3, 4, 5] if flips[0] == flips[1] else [2, 1, 0, 5, 4, 3])


def test_cell_distance_exchanging_the_views_transposes():
    first = random_windows(2, 4)
    second = of_same_images(first, random_windows(3, 4))
    forth = cell_distance(tf.constant(first), tf.constant(second), (2, 3), (4, 1))
    back = cell_distance(tf.constant(second), tf.constant(first), (4, 1), (2, 3))
    np.testing.assert_allclose(forth, np.swapaxes(back, 1, 2), rtol=1e-6)


def test_cell_distance_of_one_view_to_itself():
    """2×2 cells, diagonal √½: neighbors are 0.5 apart, √½ cells; over the diagonal it is 1."""
    side = math.sqrt(0.5)
    expected = [[0, side, side, 1], [side, 0, 1, side], [side, 1, 0, side], [1, side, side, 0]]
    whole = tf.constant([WHOLE])
    np.testing.assert_allclose(cell_distance(whole, whole, (2, 2), (2, 2)), [expected], atol=1e-6)


def test_cell_distance_is_in_units_of_the_larger_cell():
    """The whole image as one cell, center (0.5, 0.5), diagonal √2.

    The upper left quarter on a 2×1 grid: centers (0.125, 0.25) and (0.375, 0.25), smaller cells.
    """
    whole, quarter = tf.constant([WHOLE]), tf.constant([[0, 0, 50, 100, 0, 100, 200]])
    apart = np.array([math.hypot(0.375, 0.25), math.hypot(0.125, 0.25)]) / math.sqrt(2)
    distance = cell_distance(whole, quarter, (1, 1), (2, 1))
    np.testing.assert_allclose(distance, apart[None, None], rtol=1e-6)


def test_cell_distance_is_that_of_what_the_cells_show():
    """A crop of rows 20 to 60 of 100 and columns 50 to 150 of 200, one row of two cells.

    Their centers are at (0.4, 0.375) and (0.4, 0.625), and mirrored the other way round; the cells
    are 0.4 high and 0.25 wide, so that the two are 0.25 / √(0.4² + 0.25²) apart.
    """
    crop, mirrored = ([[20, 50, 40, 100, flip, 100, 200]] for flip in (0, 1))
    apart = 0.25 / math.hypot(0.4, 0.25)
    distance = cell_distance(tf.constant(crop), tf.constant(mirrored), (1, 2), (1, 2))
    np.testing.assert_allclose(distance, [[[apart, 0.0], [0.0, apart]]], atol=1e-6)
