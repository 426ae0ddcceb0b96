"""PixPro's propagation and consistency against the float64 reference and by hand."""

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


@pytest.mark.parametrize(("sharpness", "share"), [(1.0, 0.6), (2.0, 0.36)])
def test_pixel_propagation_by_hand(sharpness, share):
    """Cells (1, 0), (3, 4) / 5 and (-1, 0): cosines 0.6 and -1, and -0.6 between the last two.

    Negative ones are cut: y_0 = g_0 + s g_1, y_1 = s g_0 + g_1, y_2 = g_2, s = 0.6^γ.
    """
    cells = tf.constant([[[2.0, 0.0], [3.0, 4.0], [-1.0, 0.0]]])
    propagated = pixel_propagation(cells, tf.constant([[[10.0], [100.0], [1000.0]]]), sharpness)
    expected = [[[10 + 100 * share], [10 * share + 100], [1000.0]]]
    np.testing.assert_allclose(propagated, expected, rtol=1e-5)


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


def test_pixel_consistency_by_hand():
    """y = e1, e2 and x' = e1, -e1: distances 0, 4 and 2, 2.

    Near are (0, 0), (0, 1) and (1, 0): (0 + 4 + 2) / 3 = 2. Image 1 has no near pair.
    """
    y = tf.constant(np.tile(np.eye(2), (2, 1, 1)))
    targets = tf.constant(np.tile([[5.0, 0.0], [-1.0, 0.0]], (2, 1, 1)))
    near = tf.constant([[[True, True], [True, False]], [[False] * 2] * 2])
    result = pixel_consistency(y, targets, near)
    np.testing.assert_allclose(result.values, [2.0, 0.0], rtol=1e-12)
    assert result.counted.numpy().tolist() == [True, False]
