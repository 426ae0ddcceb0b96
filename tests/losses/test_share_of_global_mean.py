"""The mean over counted rows, on one replica."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf import distribution


@pytest.mark.parametrize(
    ("counted", "mean"),
    [(None, 4.0), ([True, True, True], 4.0), ([True, False, True], 5.0), ([False] * 3, 0.0)],
)
def test_share_of_global_mean_counts_rows(counted, mean):
    """Of 1, 2, 9: (1 + 2 + 9) / 3 = 4, (1 + 9) / 2 = 5, and 0 where nothing counts."""
    values = tf.constant([1.0, 2.0, 9.0])
    counted = None if counted is None else tf.constant(counted)
    assert float(distribution.share_of_global_mean(values, counted)) == mean


def test_share_of_global_mean_gradient_only_to_counted_rows():
    """Two of three rows count, each by 1/2; the third is infinite and must not matter."""
    values = tf.constant([1.0, np.inf, 9.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        mean = distribution.share_of_global_mean(values, tf.constant([True, False, True]))
    assert float(mean) == 5.0
    assert tape.gradient(mean, values).numpy().tolist() == [0.5, 0.0, 0.5]


def test_share_of_global_mean_keeps_float64():
    assert distribution.share_of_global_mean(tf.ones(3, tf.float64)).dtype == tf.float64


def test_collectives_one_replica_are_the_identity():
    rows = tf.constant([[1.0], [2.0]])
    assert distribution.gather_rows(rows) is rows
    assert distribution.sum_over_replicas(rows) is rows
    assert int(distribution.first_row_index(tf.constant(7))) == 0
