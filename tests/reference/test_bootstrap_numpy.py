"""Closed-form checks of the reference of BYOL's distance and of HARL's totals."""

import numpy as np
import pytest

from tests.reference import bootstrap_numpy as ref

EAST, NORTH, WEST = [2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]


def test_cosine_distance_by_hand():
    """Equal directions 0, right angles 2, opposite ones 4; a zero vector has cos 0, so 2."""
    targets = [EAST, NORTH, WEST, [0.0, 0.0]]
    np.testing.assert_allclose(ref.cosine_distance([EAST] * 4, targets), [0, 2, 4, 2], atol=1e-15)


def test_cosine_distance_keeps_the_leading_axes():
    assert ref.cosine_distance(np.ones((2, 3, 4)), np.ones((2, 3, 4))).shape == (2, 3)


def arguments(present1, present2):
    """Two images, whole / foreground / background.

    Image 0: whole p1-t2 0 and p2-t1 2, sum 2; foreground 4 + 4 = 8; background 2 + 0 = 2.
    Image 1: whole 0 + 0; foreground 0 + 2 = 2; background 4 + 2 = 6.
    """
    predictions1 = [[EAST, EAST, EAST], [EAST, EAST, EAST]]
    targets2 = [[EAST, WEST, NORTH], [EAST, EAST, WEST]]
    predictions2 = [[EAST, WEST, NORTH], [EAST, EAST, EAST]]
    targets1 = [[NORTH, EAST, NORTH], [EAST, NORTH, NORTH]]
    return predictions1, predictions2, targets1, targets2, present1, present2


def test_harl_all_present():
    """L_w = (2 + 0) / 2 = 1, L_f = (8 + 2) / 2 = 5, L_b = (2 + 6) / 2 = 4.

    With α = 0.25: mask 0.25 * 5 + 0.75 * 4 = 4.25. With β = 0.9: hybrid 0.9 + 0.1 * 4.25 = 1.325
    and foreground hybrid 0.9 + 0.1 * 5 = 1.4.
    """
    present = np.full((2, 3), True)
    totals = ref.harl(*arguments(present, present), alpha=0.25, beta=0.9)
    assert (totals.whole, totals.foreground, totals.background) == pytest.approx((1, 5, 4))
    assert totals.mask == pytest.approx(4.25)
    assert totals.hybrid == pytest.approx(1.325)
    assert totals.foreground_hybrid == pytest.approx(1.4)


def test_harl_region_must_be_in_both_views():
    """Foreground only in image 1 in both views: L_f = 2; the background in none: L_b = 0."""
    present1 = [[True, True, False], [True, True, True]]
    present2 = [[True, False, True], [True, True, False]]
    totals = ref.harl(*arguments(present1, present2), alpha=0.5, beta=0.0)
    assert (totals.whole, totals.foreground, totals.background) == pytest.approx((1, 2, 0))
    assert totals.hybrid == totals.mask == pytest.approx(1)
    assert totals.foreground_hybrid == pytest.approx(2)
