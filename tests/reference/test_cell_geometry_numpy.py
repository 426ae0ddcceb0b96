"""Closed-form checks of the reference of PixPro's distance."""

import math

import numpy as np
import pytest

from tests.reference import cell_geometry_numpy as ref

WHOLE = [0, 0, 100, 200, 0, 100, 200]


def test_cell_centers_of_the_whole_image():
    """2 x 2 cells of a half by a half: centres at a quarter and three quarters."""
    centers, diagonal = ref.cell_centers(WHOLE, (2, 2))
    assert centers == [(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)]
    assert diagonal == pytest.approx(math.sqrt(0.5), rel=1e-15)


def test_cell_centers_of_a_crop():
    """Rows 20 to 60 of 100, columns 50 to 150 of 200, one row of two cells.

    Vertically 0.2 to 0.6, centre 0.4; horizontally 0.25 to 0.75, centres 0.375 and 0.625. The cell
    is 0.4 high and 0.25 wide.
    """
    centers, diagonal = ref.cell_centers([20, 50, 40, 100, 0, 100, 200], (1, 2))
    np.testing.assert_allclose(centers, [(0.4, 0.375), (0.4, 0.625)], rtol=1e-15)
    assert diagonal == pytest.approx(math.hypot(0.4, 0.25), rel=1e-15)


def test_cell_centers_of_a_flipped_crop():
    """The same crop mirrored: the left cell shows the right half. Rows and diagonal stay."""
    centers, diagonal = ref.cell_centers([20, 50, 40, 100, 1, 100, 200], (1, 2))
    np.testing.assert_allclose(centers, [(0.4, 0.625), (0.4, 0.375)], rtol=1e-15)
    assert diagonal == pytest.approx(math.hypot(0.4, 0.25), rel=1e-15)


@pytest.mark.parametrize("flip", [0, 1])
def test_cell_centers_are_the_mean_positions_of_what_the_cells_show(flip):
    """An image whose pixels hold their own positions is cropped, mirrored and averaged."""
    positions = np.stack(np.meshgrid(np.arange(60), np.arange(90), indexing="ij"), axis=-1)
    positions = (positions + 0.5) / (60, 90)
    crop = positions[10:34, 20:80]
    crop = crop[:, ::-1] if flip else crop
    means = crop.reshape(4, 6, 3, 20, 2).mean(axis=(1, 3)).reshape(12, 2)
    centers, _ = ref.cell_centers([10, 20, 24, 60, flip, 60, 90], (4, 3))
    np.testing.assert_allclose(centers, means, rtol=1e-12)


def test_cell_distance_of_one_view_to_itself():
    """2 x 2 cells, diagonal sqrt(1/2): neighbours are 0.5 apart, sqrt(1/2) over the diagonal 1."""
    side = math.sqrt(0.5)
    expected = [[0, side, side, 1], [side, 0, 1, side], [side, 1, 0, side], [1, side, side, 0]]
    distance = ref.cell_distance([WHOLE], [WHOLE], (2, 2), (2, 2))
    np.testing.assert_allclose(distance, [expected], atol=1e-15)


def test_cell_distance_to_the_flipped_view():
    """A 1 x 2 grid and its mirror: the columns exchange.

    Centres 0.25 and 0.75, cells 1 by 0.5: 0.5 / sqrt(1.25).
    """
    flipped = [0, 0, 100, 200, 1, 100, 200]
    apart = 0.5 / math.sqrt(1.25)
    distance = ref.cell_distance([WHOLE], [flipped], (1, 2), (1, 2))
    np.testing.assert_allclose(distance, [[[apart, 0.0], [0.0, apart]]], atol=1e-15)


def test_cell_distance_is_in_units_of_the_larger_cell():
    """The whole image as one cell, centre (0.5, 0.5), diagonal sqrt(2).

    The upper left quarter on a 2 x 1 grid: centres (0.125, 0.25) and (0.375, 0.25), smaller cells.
    The order of the views does not matter.
    """
    quarter = [0, 0, 50, 100, 0, 100, 200]
    apart = np.array([math.hypot(0.375, 0.25), math.hypot(0.125, 0.25)]) / math.sqrt(2)
    forth = ref.cell_distance([WHOLE], [quarter], (1, 1), (2, 1))
    back = ref.cell_distance([quarter], [WHOLE], (2, 1), (1, 1))
    np.testing.assert_allclose(forth, apart[None, None, :], rtol=1e-14)
    np.testing.assert_allclose(back, apart[None, :, None], rtol=1e-14)
