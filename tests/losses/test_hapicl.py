"""The pixel loss against the float64 reference and by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses import pixel_contrast
from tests.reference import hapicl_numpy as ref


def random_batch(seed, batch=3, cells=5, dimensions=3):
    """Embeddings, labels and validity of both views."""
    random = np.random.default_rng(seed)
    u1, u2 = random.normal(size=(2, batch, cells, dimensions))
    y1, y2 = random.integers(0, 2, (2, batch, cells))
    ok1, ok2 = random.random((2, batch, cells)) < 0.8
    return u1, u2, y1, y2, ok1, ok2


def one_image(y1, y2, u1=None, u2=None, ok1=None, ok2=None, **settings):
    """One direction of one image; features are all equal unless given."""
    equal = [[1.0, 2.0]]
    u1 = np.array(equal * len(y1) if u1 is None else u1)
    u2 = np.array(equal * len(y2) if u2 is None else u2)
    arguments = [tf.constant(np.asarray(a)[None]) for a in (u1, u2, y1, y2)]
    valid = [None if ok is None else tf.constant([ok]) for ok in (ok1, ok2)]
    result = pixel_contrast(*arguments, *valid, **settings)
    return float(result.values[0]), bool(result.counted[0])


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0])
def test_pixel_contrast_float32_agrees_with_the_reference(temperature):
    u1, u2, *labels = random_batch(7, batch=4, cells=16, dimensions=8)
    singles = (tf.constant(u, tf.float32) for u in (u1, u2))
    result = pixel_contrast(*singles, *map(tf.constant, labels), temperature)
    assert result.values.dtype == tf.float32
    expected, _ = ref.pixel_contrast(u1, u2, *labels, temperature)
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("f", "b"), [(1, 1), (3, 5), (7, 2)])
def test_pixel_contrast_equal_features(f, b):
    """All logits are s: log((f+b) e^s) - log(f e^s) = log((f+b)/f), and likewise for b."""
    y2 = [1] * f + [0] * b
    foreground, background = math.log((f + b) / f), math.log((f + b) / b)
    assert one_image([1, 0, 0], y2, foreground_weight=1.0)[0] == pytest.approx(foreground)
    assert one_image([1, 0, 0], y2, foreground_weight=0.0)[0] == pytest.approx(background)
    assert one_image([1, 0, 0], y2)[0] == pytest.approx((foreground + background) / 2)


@pytest.mark.parametrize(("f", "b"), [(1, 1), (4, 5)])
def test_pixel_contrast_two_vectors_is_the_minimum_it_can_collapse_to(f, b):
    """Foreground +v, background -v: log(1 + (b/f) e^-10) and log(1 + (f/b) e^-10), nearly 0."""
    y = [1] * f + [0] * b
    u = np.where(np.array(y)[:, None] == 1, 1.0, -1.0) * np.array([[3.0, 4.0]])
    expected = (math.log1p(b / f * math.exp(-10)) + math.log1p(f / b * math.exp(-10))) / 2
    assert one_image(y, y, u, u)[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("y1", "y2"),
    [([1, 1], [1, 1]), ([0, 0], [0, 0]), ([1, 1], [0, 0]), ([0, 0], [1, 1]), ([1, 0], [1, 1])],
)
def test_pixel_contrast_other_view_of_one_region_is_not_counted(y1, y2):
    """Without a second region in the other view no cell has both a positive and a negative."""
    assert one_image(y1, y2) == (0.0, False)


@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_pixel_contrast_one_region_view_takes_the_whole_weight(weight):
    """View 1 is all foreground, view 2 has f = 1, b = 3: w log 4 / w."""
    loss, counted = one_image([1, 1], [1, 0, 0, 0], foreground_weight=weight)
    assert loss == pytest.approx(math.log(4))
    assert counted


@pytest.mark.parametrize(("y1", "weight"), [([1, 1], 0.0), ([0, 0], 1.0)])
def test_pixel_contrast_only_region_without_weight_is_not_counted(y1, weight):
    assert one_image(y1, [1, 0], foreground_weight=weight) == (0.0, False)


def test_pixel_contrast_all_cells_invalid_is_not_counted():
    """What a boundary margin does to an image of mixed cells only."""
    invalid = [False, False]
    assert one_image([1, 0], [1, 0], ok1=invalid, ok2=invalid) == (0.0, False)
    assert one_image([1, 0], [1, 0], ok2=invalid) == (0.0, False)


def test_pixel_contrast_invalid_cells_leave_anchors_and_both_sets():
    """Of f = 2, b = 4 one cell each is invalid, and so are the background anchors: log(4/1)."""
    ok1 = [True, True, False]
    ok2 = [True, False, True, True, True, False]
    loss, _ = one_image([1, 1, 0], [1, 1, 0, 0, 0, 0], ok1=ok1, ok2=ok2)
    assert loss == pytest.approx(math.log(4))


def test_pixel_contrast_uncounted_cells_have_zero_gradient():
    """Image 0 is not counted at all; in image 1 the last cell of either view is invalid."""
    u1, u2 = (tf.constant(u) for u in np.random.default_rng(0).normal(size=(2, 2, 3, 4)))
    u1 = u1 * tf.constant([1.0, 1.0, 0.0], tf.float64)[:, None]  # a zero vector as well
    regions = tf.constant([[1, 1, 1], [1, 0, 0]])
    valid = tf.constant([[True] * 3, [True, True, False]])
    with tf.GradientTape() as tape:
        tape.watch([u1, u2])
        result = pixel_contrast(u1, u2, regions, regions, valid, valid)
        loss = distribution.share_of_global_mean(result.values, result.counted)
    assert result.counted.numpy().tolist() == [False, True]
    for gradient in tape.gradient(loss, [u1, u2]):
        assert not gradient[0].numpy().any()
        assert not gradient[1, 2].numpy().any()
        assert np.abs(gradient[1, :2]).min() > 0


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_pixel_contrast_half_precision_stays_finite(dtype):
    """At τ = 0.01 terms reach e^100, far beyond float16; image 1 is not counted."""
    u1, u2, y1, y2, *_ = random_batch(1, batch=2, cells=49)
    y1[1] = y2[1] = 1
    u1, u2 = tf.cast(100 * u1, dtype), tf.cast(100 * u2, dtype)
    with tf.GradientTape() as tape:
        tape.watch([u1, u2])
        result = pixel_contrast(u1, u2, tf.constant(y1), tf.constant(y2), temperature=0.01)
        loss = tf.reduce_sum(result.values)
    assert loss.dtype == tf.float32
    assert np.isfinite(loss)
    for gradient in tape.gradient(loss, [u1, u2]):
        assert np.isfinite(tf.cast(gradient, tf.float32)).all()


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_pixel_contrast_temperature_out_of_range(temperature):
    with pytest.raises(ValueError, match=r"Expected temperature > 0. Received: temperature="):
        one_image([1, 0], [1, 0], temperature=temperature)


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_pixel_contrast_foreground_weight_out_of_range(weight):
    with pytest.raises(ValueError, match=r"Expected foreground_weight within \[0, 1\]. Received"):
        one_image([1, 0], [1, 0], foreground_weight=weight)
