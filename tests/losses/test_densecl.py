"""DenseCL's matching and loss against the float64 reference and by hand."""

import math

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


def test_dense_contrast_by_hand():
    """τ = 1, queue -e1. Cell 0 (e1) is matched with key 1 (e1), cell 1 (e2) with key 0 (e2).

    log(e + e^-1) - 1 and log(e + 1) - 1; the loss is their mean. The unmatched key is no negative.
    """
    queries = tf.constant([[[1.0, 0.0], [0.0, 1.0]]], tf.float64)
    keys = tf.constant([[[0.0, 5.0], [5.0, 0.0]]], tf.float64)
    queue = tf.constant([[-2.0, 0.0]], tf.float64)
    losses = dense_contrast(queries, keys, tf.constant([[1, 0]]), queue, 1.0)
    expected = (math.log(math.e + 1 / math.e) + math.log(math.e + 1)) / 2 - 1
    np.testing.assert_allclose(losses, [expected], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_dense_contrast_half_precision_stays_finite(dtype):
    """All alike at τ = 0.01: four terms e^100, beyond float32's e^88, of which one is right."""
    cells, queue = tf.ones((1, 2, 8), dtype), tf.ones((3, 8), dtype)
    with tf.GradientTape() as tape:
        tape.watch(cells)
        losses = dense_contrast(cells, cells, tf.zeros((1, 2), tf.int32), queue, 0.01)
    np.testing.assert_allclose(losses, [math.log(4)], rtol=1e-4)
    assert np.isfinite(tf.cast(tape.gradient(losses, cells), tf.float32)).all()


@pytest.mark.parametrize("temperature", [0.0, -0.2])
def test_dense_contrast_temperature_out_of_range(temperature):
    cells, matches = tf.ones((1, 2, 2)), tf.zeros((1, 2), tf.int32)
    with pytest.raises(ValueError, match=r"Expected temperature > 0. Received: temperature="):
        dense_contrast(cells, cells, matches, tf.ones((3, 2)), temperature)
