"""Averages over regions against the float64 reference."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import region_average
from tests.losses.agreement import assert_agrees
from tests.reference import pooling_numpy as ref


@pytest.mark.parametrize(("batch", "regions"), [(1, 1), (2, 4)])
def test_region_average_agrees_with_the_reference(batch, regions):
    """The gradient into the weights is compared where no region is empty."""
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(batch, 5, 3)), random.uniform(0.1, 1, (batch, 5, regions))]
    assert_agrees(
        lambda *tensors: region_average(*tensors).vectors,
        lambda *arrays: ref.region_average(*arrays)[0],
        inputs,
    )


def test_region_average_with_empty_regions_agrees_with_the_reference():
    """Image 0 has all cells in region 1, image 1 none anywhere."""
    cells = np.random.default_rng(0).normal(size=(2, 3, 4))
    weights = np.zeros((2, 3, 2))
    weights[0, :, 1] = [1.0, 0.25, 0.0]
    assert_agrees(
        lambda tensor: region_average(tensor, tf.constant(weights)).vectors,
        lambda array: ref.region_average(array, weights)[0],
        [cells],
    )
    result = region_average(tf.constant(cells), tf.constant(weights))
    assert result.present.numpy().tolist() == [[False, True], [False, False]]
    assert not result.vectors.numpy()[[0, 1, 1], [0, 0, 1]].any()


def test_region_average_half_precision_sums_in_single():
    """49 cells of 2000 add up to 98000, beyond float16's 65504; their mean is 2000."""
    result = region_average(tf.fill((1, 49, 2), tf.cast(2000.0, "float16")), tf.ones((1, 49, 1)))
    assert result.vectors.dtype == tf.float32
    np.testing.assert_allclose(result.vectors, 2000.0)


def test_region_average_takes_boolean_masks():
    """Cells 1, 3, 8 with the first two in: 2."""
    weights = tf.constant([[[True], [True], [False]]])
    result = region_average(tf.constant([[[1.0], [3.0], [8.0]]]), weights)
    assert result.vectors.numpy().tolist() == [[[2.0]]]


def test_region_average_by_hand():
    """Cells 1, 4, 10 with weights 1, 0.5, 0: (1 + 2) / 1.5 = 2; the second region is absent.

    The third has the weights 0, 0, 0.25: a single cell, 10, whatever its weight.
    """
    cells = tf.constant([[[1.0, -1.0], [4.0, -4.0], [10.0, 0.0]]])
    weights = tf.constant([[[1.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.25]]])
    result = region_average(cells, weights)
    np.testing.assert_allclose(result.vectors, [[[2.0, -2.0], [0.0, 0.0], [10.0, 0.0]]], rtol=1e-6)
    assert result.present.numpy().tolist() == [[True, False, True]]
