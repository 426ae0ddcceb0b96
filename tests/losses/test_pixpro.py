"""PixPro's propagation and consistency against the float64 reference."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import pixel_consistency, pixel_propagation
from tests.losses.agreement import assert_agrees
from tests.reference import pixel_propagation_numpy as ref


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0, 3.5])
@pytest.mark.parametrize("batch", [1, 2])
def test_pixel_propagation_agrees_with_the_reference(batch, sharpness):
    """Two and three dimensions: about half of the similarities are negative and cut."""
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(batch, 4, 2)), random.normal(size=(batch, 4, 3))]
    assert_agrees(
        lambda *tensors: pixel_propagation(*tensors, sharpness),
        lambda *arrays: ref.pixel_propagation(*arrays, sharpness),
        inputs,
    )


def test_pixel_propagation_equal_cells_agree_with_the_reference():
    """Every similarity is 1, where its slope is 0: each cell becomes the sum of all."""
    inputs = [np.ones((1, 3, 2)), np.array([[[1.0, 0.0], [2.0, 1.0], [4.0, 0.0]]])]
    assert_agrees(pixel_propagation, ref.pixel_propagation, inputs)
    np.testing.assert_allclose(pixel_propagation(*map(tf.constant, inputs)), [[[7.0, 1.0]] * 3])


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0, 3.0])
def test_pixel_propagation_gradient_at_right_angles_is_finite(sharpness):
    """Cosines of exactly 0, and a zero vector, where a power below one has no slope."""
    cells = tf.constant([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    with tf.GradientTape() as tape:
        tape.watch(cells)
        propagated = pixel_propagation(cells, tf.ones((1, 3, 1)), sharpness)
    np.testing.assert_allclose(propagated, [[[1.0], [1.0], [0.0]]], atol=1e-6)
    assert np.isfinite(tape.gradient(propagated, cells)).all()


@pytest.mark.parametrize("sharpness", [0.0, -1.0])
def test_pixel_propagation_sharpness_out_of_range(sharpness):
    cells = tf.ones((1, 2, 2))
    with pytest.raises(ValueError, match=r"Expected sharpness > 0. Received: sharpness="):
        pixel_propagation(cells, cells, sharpness)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("batch", [1, 4])
def test_pixel_consistency_agrees_with_the_reference(batch, share):
    """From no near pair at all to nothing but near pairs; the views have 3 and 4 cells."""
    random = np.random.default_rng(2)
    inputs = [random.normal(size=(batch, cells, 3)) for cells in (3, 4)]
    near = random.random((batch, 3, 4)) < share
    near[0] = near[0] & (share == 1.0)
    assert_agrees(
        lambda *tensors: pixel_consistency(*tensors, tf.constant(near)).values,
        lambda *arrays: ref.pixel_consistency(*arrays, near)[0],
        inputs,
        constants=[1],
    )
    counted = pixel_consistency(*map(tf.constant, (*inputs, near))).counted
    np.testing.assert_array_equal(counted, ref.pixel_consistency(*inputs, near)[1])


def test_pixpro_in_one_direction_agrees_with_the_reference():
    """Propagation and consistency in a row, gradient into the cells and the transformed ones."""
    random = np.random.default_rng(3)
    inputs = [random.normal(size=(2, 4, 3)) for _ in range(3)]
    near = random.random((2, 4, 4)) < 0.5

    def reference(cells, transformed, targets):
        return ref.pixel_consistency(ref.pixel_propagation(cells, transformed), targets, near)[0]

    def loss(cells, transformed, targets):
        propagated = pixel_propagation(cells, transformed)
        return pixel_consistency(propagated, targets, tf.constant(near)).values

    assert_agrees(loss, reference, inputs, constants=[2])
