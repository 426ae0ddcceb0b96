"""Closed-form checks of the reference of MoCo's loss."""

import math

import numpy as np
import pytest

from tests.reference import momentum_contrast_numpy as ref


@pytest.mark.parametrize("places", [1, 4])
def test_momentum_contrast_equal_vectors(places):
    """K + 1 equal logits s: log((K + 1) e^s) - s = log(K + 1)."""
    losses = ref.momentum_contrast(np.ones((2, 3)), 2 * np.ones((2, 3)), np.ones((places, 3)))
    np.testing.assert_allclose(losses, [math.log(places + 1)] * 2, rtol=1e-14)


def test_momentum_contrast_by_hand():
    """At τ = 0.5: own key at 2, the queue at 0 and -2: log(e^2 + 1 + e^-2) - 2.

    The other query's own key is at 0, its queue at 2 and 0: log(2 + e^2). The other image's key is
    no negative: it would add a term to either sum.
    """
    queries = [[1.0, 0.0], [0.0, 1.0]]
    keys = [[5.0, 0.0], [-1.0, 0.0]]
    queue = [[0.0, 2.0], [-3.0, 0.0]]
    losses = ref.momentum_contrast(queries, keys, queue, temperature=0.5)
    expected = [
        math.log(math.exp(2) + 1 + math.exp(-2)) - 2,
        math.log(2 + math.exp(2)),
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-14)
