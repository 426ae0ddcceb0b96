"""NT-Xent against the float64 reference and by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import nt_xent
from tests.losses.agreement import assert_agrees
from tests.reference import simclr_numpy as ref


def pairs(batch, dimensions, seed=0):
    return np.random.default_rng(seed).normal(size=(2, batch, dimensions))


@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
@pytest.mark.parametrize(("batch", "dimensions"), [(1, 3), (2, 2), (5, 4)])
def test_nt_xent_agrees_with_the_reference(batch, dimensions, temperature):
    assert_agrees(
        lambda *tensors: nt_xent(*tensors, temperature),
        lambda *arrays: ref.nt_xent(*arrays, temperature),
        list(pairs(batch, dimensions)),
    )


def test_nt_xent_float32_agrees_with_the_reference():
    z1, z2 = pairs(16, 8)
    losses = nt_xent(tf.constant(z1, tf.float32), tf.constant(z2, tf.float32))
    np.testing.assert_allclose(losses, ref.nt_xent(z1, z2), rtol=0, atol=1e-5)


def test_nt_xent_duplicate_rows():
    """Image 1 is image 0 again: with e0, e0, e1 and τ = 0.2 the partner is at 5.

    Rows of the duplicates see 5 three times (partner and the duplicate's two views) and 0 twice:
    log(3 e^5 + 2) - 5. Rows of e1 see 5 once and 0 four times: log(e^5 + 4) - 5.
    """
    z = tf.constant(np.eye(3)[[0, 0, 1]])
    twice = math.log(3 * math.exp(5) + 2) - 5
    once = math.log(math.exp(5) + 4) - 5
    np.testing.assert_allclose(nt_xent(z, 3 * z), [twice, twice, once] * 2, rtol=1e-12)


def test_nt_xent_equal_rows_have_no_gradient():
    """2B - 1 = 7 equal logits: log 7 in every row."""
    z = tf.tile([[1.0, 2.0, 3.0]], (4, 1))
    with tf.GradientTape() as tape:
        tape.watch(z)
        losses = nt_xent(z, z)
    np.testing.assert_allclose(losses, math.log(7), rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(losses, z), 0.0, atol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_nt_xent_half_precision_stays_finite(dtype):
    """Logits at 1/0.01 = 100: e^100 is far beyond float16, and float32 takes over before it."""
    z = tf.cast(100.0 * pairs(6, 4)[0], dtype)
    with tf.GradientTape() as tape:
        tape.watch(z)
        losses = nt_xent(z, -z, 0.01)
    gradient = tape.gradient(losses, z)
    assert losses.dtype == tf.float32
    assert np.isfinite(losses).all()
    assert np.isfinite(tf.cast(gradient, tf.float32)).all()


def test_nt_xent_zero_vectors_stay_finite():
    """A zero vector stays zero, all logits are 0: log(2B - 1) with B = 2."""
    z = tf.zeros((2, 3))
    with tf.GradientTape() as tape:
        tape.watch(z)
        losses = nt_xent(z, z)
    np.testing.assert_allclose(losses, math.log(3), rtol=1e-6)
    assert np.isfinite(tape.gradient(losses, z)).all()


@pytest.mark.parametrize("temperature", [0.0, -0.2])
def test_nt_xent_temperature_out_of_range(temperature):
    with pytest.raises(ValueError, match=r"Expected temperature > 0. Received: temperature="):
        nt_xent(tf.ones((2, 2)), tf.ones((2, 2)), temperature)
