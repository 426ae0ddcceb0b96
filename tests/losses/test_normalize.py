"""Normalisation in full precision."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import l2_normalize


@pytest.mark.parametrize(
    ("given", "result"),
    [
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
    ],
)
def test_l2_normalize_dtypes(given, result):
    unit = l2_normalize(tf.constant([[3.0, 4.0]], given))
    assert unit.dtype == result
    np.testing.assert_allclose(unit, [[0.6, 0.8]], rtol=1e-6)


def test_l2_normalize_large_half_precision_vector():
    """300² is beyond float16's 65504; in float32 the length is 300 √4."""
    unit = l2_normalize(tf.fill((1, 4), tf.constant(300.0, tf.float16)))
    np.testing.assert_allclose(unit, [[0.5] * 4], rtol=1e-6)


def test_l2_normalize_zero_vector_stays_zero():
    assert not l2_normalize(tf.zeros((2, 3))).numpy().any()
