"""The figures of views, counted by hand."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.metrics import foreground_share, lost_region_share

FIRST = np.array([[[0, 0], [0, 1]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]], "uint8")
SECOND = np.array([[[1, 1], [1, 0]], [[1, 0], [0, 0]], [[0, 0], [0, 0]]], "uint8")


def test_foreground_share_is_that_of_all_pixels():
    """1 + 4 + 0 of the first views' twelve pixels, 3 + 1 + 0 of the second's."""
    assert float(foreground_share(FIRST, SECOND)) == pytest.approx(9 / 24)


def test_lost_region_share_is_that_of_views_of_one_region():
    """Of six views the all-foreground one and the two without any have lost a region."""
    assert float(lost_region_share(FIRST, SECOND)) == pytest.approx(3 / 6)


def test_every_number_but_zero_is_foreground():
    """A view of regions 1 and 2 has no background."""
    masks = np.array([[[1, 2], [2, 1]]], "uint8")
    assert float(foreground_share(masks, masks)) == 1.0
    assert float(lost_region_share(masks, masks)) == 1.0


@pytest.mark.parametrize(
    ("figure", "whole"), [(foreground_share, 14 / 32), (lost_region_share, 4 / 8)]
)
def test_shares_of_two_replicas_add_up(figure, whole, two_replicas):
    """A fourth image: five of its eight pixels, one view lost."""
    first = np.concatenate([FIRST, [[[1, 1], [1, 1]]]]).astype("uint8")
    second = np.concatenate([SECOND, [[[0, 0], [1, 0]]]]).astype("uint8")

    def of_replica(context):
        start = 2 * context.replica_id_in_sync_group
        return tf.constant(first[start : start + 2]), tf.constant(second[start : start + 2])

    values = two_replicas.experimental_distribute_values_from_function(of_replica)

    @tf.function
    def shares():
        return two_replicas.run(lambda pair: figure(*pair), (values,))

    results = two_replicas.experimental_local_results(shares())
    assert sum(float(share) for share in results) == pytest.approx(whole)
    assert float(figure(first, second)) == pytest.approx(whole)
