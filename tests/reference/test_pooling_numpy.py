"""Closed-form checks of the reference of the averages over regions."""

import numpy as np

from tests.reference import pooling_numpy as ref


def test_region_average_by_hand():
    """Cells 1, 4, 10 with weights 1, 0.5, 0: (1 + 2) / 1.5 = 2; the second region is absent.

    The third has the weights 0, 0, 0.25: a single cell, 10, whatever its weight.
    """
    cells = np.array([[[1.0, -1.0], [4.0, -4.0], [10.0, 0.0]]])
    weights = np.array([[[1.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.25]]])
    vectors, present = ref.region_average(cells, weights)
    np.testing.assert_allclose(vectors, [[[2.0, -2.0], [0.0, 0.0], [10.0, 0.0]]], rtol=1e-15)
    np.testing.assert_array_equal(present, [[True, False, True]])


def test_harl_regions_by_hand():
    """Cells 3, 6, 9 with foreground 1, 0.5, 0.

    Whole 18 / 3 = 6, foreground (3 + 3) / 1.5 = 4, background (3 + 9) / 1.5 = 8.
    """
    vectors, present = ref.harl_regions([[[3.0], [6.0], [9.0]]], [[1.0, 0.5, 0.0]])
    np.testing.assert_allclose(vectors, [[[6.0], [4.0], [8.0]]], rtol=1e-15)
    assert present.all()


def test_harl_regions_without_foreground():
    """The background is then the whole image."""
    vectors, present = ref.harl_regions([[[3.0], [6.0]]], [[0.0, 0.0]])
    np.testing.assert_array_equal(vectors, [[[4.5], [0.0], [4.5]]])
    np.testing.assert_array_equal(present, [[True, False, True]])
