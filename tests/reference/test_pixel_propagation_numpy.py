"""Closed-form checks of the reference of PixPro's propagation and consistency."""

import numpy as np
import pytest

from tests.reference import pixel_propagation_numpy as ref


@pytest.mark.parametrize(("sharpness", "share"), [(1.0, 0.6), (2.0, 0.36)])
def test_pixel_propagation_by_hand(sharpness, share):
    """Cells (1, 0), (3, 4) / 5 and (-1, 0): cosines 0.6 and -1, and -0.6 between the last two.

    Negative ones are cut: y_0 = g_0 + s g_1, y_1 = s g_0 + g_1, y_2 = g_2, s = 0.6^γ.
    """
    cells = [[[2.0, 0.0], [3.0, 4.0], [-1.0, 0.0]]]
    g = [[[10.0], [100.0], [1000.0]]]
    expected = [[[10 + 100 * share], [10 * share + 100], [1000.0]]]
    np.testing.assert_allclose(ref.pixel_propagation(cells, g, sharpness), expected, rtol=1e-12)


def test_pixel_propagation_equal_cells_sum_up():
    """Every similarity is 1: each of N = 3 cells becomes the sum."""
    g = np.array([[[1.0, 0.0], [2.0, 1.0], [4.0, 0.0]]])
    expected = np.tile([[7.0, 1.0]], (1, 3, 1))
    np.testing.assert_allclose(ref.pixel_propagation(np.ones((1, 3, 2)), g), expected, rtol=1e-12)


def test_pixel_propagation_of_unit_values():
    """(3, 4) and (0, 9) become (0.6, 0.8) and (0, 1): the sum is (0.6, 1.8)."""
    g = [[[3.0, 4.0], [0.0, 9.0]]]
    propagated = ref.pixel_propagation(np.ones((1, 2, 2)), g, normalize_transformed=True)
    np.testing.assert_allclose(propagated, [[[0.6, 1.8]] * 2], rtol=1e-12)


def test_pixel_consistency_by_hand():
    """y = e1, e2 and x' = e1, -e1: distances 0, 4 and 2, 2.

    Near are (0, 0), (0, 1) and (1, 0): (0 + 4 + 2) / 3 = 2. Image 1 has no near pair.
    """
    y = np.tile(np.eye(2), (2, 1, 1))
    targets = np.tile([[5.0, 0.0], [-1.0, 0.0]], (2, 1, 1))
    near = np.array([[[True, True], [True, False]], [[False] * 2] * 2])
    loss, counted = ref.pixel_consistency(y, targets, near)
    np.testing.assert_allclose(loss, [2.0, 0.0], rtol=1e-12)
    np.testing.assert_array_equal(counted, [True, False])
