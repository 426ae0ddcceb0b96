"""The shared vector operations by hand."""

import math

import numpy as np
import pytest

from tests.reference import vectors_numpy as ref


def test_normalize_3_4_5():
    """(3, 4) has the length 5."""
    np.testing.assert_allclose(ref.normalize(np.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-15)


def test_normalize_leaves_zero_and_scales_tiny_vectors_by_the_floor():
    """|v|^2 = 1e-14 is below 1e-12, so v is divided by 1e-6."""
    assert not ref.normalize(np.zeros(3)).any()
    np.testing.assert_allclose(ref.normalize(np.array([1e-7, 0.0])), [0.1, 0.0], rtol=1e-12)


def test_cosine_of_60_degrees():
    vector = np.array([math.cos(math.pi / 3), math.sin(math.pi / 3)])
    assert ref.cosine(np.array([7.0, 0.0]), 3 * vector) == pytest.approx(0.5, rel=1e-14)


def test_log_sum_exp_of_counts_and_of_large_values():
    """log(1 + 2 + 3) = log 6; 1000 is far beyond e^709, log(2 e^1000) = 1000 + log 2."""
    logits = [math.log(1), math.log(2), math.log(3)]
    assert ref.log_sum_exp(logits) == pytest.approx(math.log(6), rel=1e-15)
    assert ref.log_sum_exp([1000.0, 1000.0]) == pytest.approx(1000 + math.log(2), rel=1e-15)
