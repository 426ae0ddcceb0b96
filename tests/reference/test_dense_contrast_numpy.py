"""Closed-form checks of the reference of DenseCL's matching and loss."""

import math

import numpy as np

from tests.reference import dense_contrast_numpy as ref


def test_match_cells_by_hand():
    """Direction decides, not length: e1 matches the short e1, e2 the second cell.

    -e1 is at -1, -0 and -0.7 from the cells: the second.
    """
    features1 = [[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]]
    features2 = [[[0.1, 0.0], [0.0, 3.0], [9.0, 9.0]]]
    np.testing.assert_array_equal(ref.match_cells(features1, features2), [[0, 1, 1]])


def test_match_cells_of_equals_the_first():
    np.testing.assert_array_equal(ref.match_cells(np.ones((1, 2, 3)), np.ones((1, 4, 3))), [[0, 0]])


def test_dense_contrast_equal_vectors():
    """K + 1 = 4 equal logits: log 4 in every cell."""
    losses = ref.dense_contrast(
        np.ones((2, 3, 4)), np.ones((2, 5, 4)), np.zeros((2, 3)), np.ones((3, 4))
    )
    np.testing.assert_allclose(losses, [math.log(4)] * 2, rtol=1e-14)


def test_dense_contrast_by_hand():
    """τ = 1, queue -e1. Cell 0 (e1) is matched with key 1 (e1), cell 1 (e2) with key 0 (e2).

    log(e + e^-1) - 1 and log(e + 1) - 1; the loss is their mean. The unmatched key is no negative.
    """
    losses = ref.dense_contrast(
        [[[1.0, 0.0], [0.0, 1.0]]],
        [[[0.0, 5.0], [5.0, 0.0]]],
        [[1, 0]],
        [[-2.0, 0.0]],
        temperature=1.0,
    )
    expected = (math.log(math.e + 1 / math.e) + math.log(math.e + 1)) / 2 - 1
    np.testing.assert_allclose(losses, [expected], rtol=1e-14)
