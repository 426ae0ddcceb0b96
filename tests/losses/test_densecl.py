"""DenseCL's matching and loss against the float64 reference."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import dense_contrast, match_cells
from tests.losses.agreement import assert_agrees
from tests.reference import dense_contrast_numpy as ref


@pytest.mark.parametrize(("batch", "cells1", "cells2"), [(1, 1, 1), (3, 4, 6)])
def test_match_cells_agrees_with_the_reference(batch, cells1, cells2):
    random = np.random.default_rng(0)
    first, second = random.normal(size=(batch, cells1, 3)), random.normal(size=(batch, cells2, 3))
    matches = match_cells(tf.constant(first), tf.constant(second))
    assert matches.dtype == tf.int32
    np.testing.assert_array_equal(matches, ref.match_cells(first, second))


def test_match_cells_of_equals_is_the_first():
    """e1 twice, at two lengths, after e2; cell 1 is a zero vector, equally far from all."""
    first = tf.constant([[[2.0, 0.0], [0.0, 0.0]]])
    second = tf.constant([[[0.0, 1.0], [4.0, 0.0], [1.0, 0.0]]])
    assert match_cells(first, second).numpy().tolist() == [[1, 0]]


@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
@pytest.mark.parametrize(("batch", "places"), [(1, 1), (2, 5)])
def test_dense_contrast_agrees_with_the_reference(batch, places, temperature):
    """Several cells may share a match, and some keys match nothing."""
    random = np.random.default_rng(0)
    shapes = [(batch, 3, 4), (batch, 5, 4), (places, 4)]
    inputs = [random.normal(size=shape) for shape in shapes]
    matches = np.array([[4, 0, 0], [1, 2, 1]])[:batch]
    assert_agrees(
        lambda q, k, queue: dense_contrast(q, k, tf.constant(matches), queue, temperature),
        lambda q, k, queue: ref.dense_contrast(q, k, matches, queue, temperature),
        inputs,
        constants=[1, 2],
    )


def test_dense_contrast_equal_features_agree_with_the_reference():
    inputs = [np.ones((2, 3, 4)), 2 * np.ones((2, 3, 4)), 3 * np.ones((3, 4))]
    matches = np.zeros((2, 3), np.int32)
    assert_agrees(
        lambda q, k, queue: dense_contrast(q, k, tf.constant(matches), queue),
        lambda q, k, queue: ref.dense_contrast(q, k, matches, queue),
        inputs,
        constants=[1, 2],
    )


@pytest.mark.parametrize("temperature", [0.0, -0.2])
def test_dense_contrast_temperature_out_of_range(temperature):
    cells, matches = tf.ones((1, 2, 2)), tf.zeros((1, 2), tf.int32)
    with pytest.raises(ValueError, match=r"Expected temperature > 0. Received: temperature="):
        dense_contrast(cells, cells, matches, tf.ones((3, 2)), temperature)
