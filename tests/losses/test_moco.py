"""MoCo's loss against the float64 reference and by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import momentum_contrast
from tests.losses.agreement import assert_agrees
from tests.reference import momentum_contrast_numpy as ref


@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
@pytest.mark.parametrize(("batch", "places"), [(1, 1), (3, 5)])
def test_momentum_contrast_agrees_with_the_reference(batch, places, temperature):
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(rows, 4)) for rows in (batch, batch, places)]
    assert_agrees(
        lambda *tensors: momentum_contrast(*tensors, temperature),
        lambda *arrays: ref.momentum_contrast(*arrays, temperature),
        inputs,
        constants=[1, 2],
    )


def test_momentum_contrast_by_hand():
    """At τ = 0.5: own key at 2, the queue at 0 and -2: log(e² + 1 + e^-2) - 2.

    The other query's own key is at 0, its queue at 2 and 0: log(2 + e²). The other image's key is
    no negative: it would add a term to either sum.
    """
    queries = tf.constant([[1.0, 0.0], [0.0, 1.0]], tf.float64)
    keys = tf.constant([[5.0, 0.0], [-1.0, 0.0]], tf.float64)
    queue = tf.constant([[0.0, 2.0], [-3.0, 0.0]], tf.float64)
    expected = [math.log(math.exp(2) + 1 + math.exp(-2)) - 2, math.log(2 + math.exp(2))]
    np.testing.assert_allclose(momentum_contrast(queries, keys, queue, 0.5), expected, rtol=1e-12)


def test_momentum_contrast_key_repeated_in_the_queue():
    """The own key is in the queue as well: a tie at 1/τ = 5, one place at 0.

    log(2 e^5 + 1) - 5.
    """
    query = tf.constant([[2.0, 0.0]], tf.float64)
    queue = tf.constant([[1.0, 0.0], [0.0, 1.0]], tf.float64)
    expected = math.log(2 * math.exp(5) + 1) - 5
    np.testing.assert_allclose(momentum_contrast(query, 3 * query, queue), [expected], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_momentum_contrast_half_precision_stays_finite(dtype):
    """At τ = 0.01 a queue opposite to the key has the odds e^200."""
    vectors = tf.ones((2, 4), dtype)
    losses = momentum_contrast(vectors, -vectors, vectors, 0.01)
    assert losses.dtype == tf.float32
    np.testing.assert_allclose(losses, 200 + math.log(2), rtol=1e-3)


@pytest.mark.parametrize("temperature", [0.0, -0.2])
def test_momentum_contrast_temperature_out_of_range(temperature):
    ones = tf.ones((2, 2))
    with pytest.raises(ValueError, match=r"Expected temperature > 0. Received: temperature="):
        momentum_contrast(ones, ones, ones, temperature)
