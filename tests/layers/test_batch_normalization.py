"""The fused layer is keras.layers.BatchNormalization, only faster."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.layers import FusedBatchNormalization

# What arithmetic in another order may change; in bfloat16 outputs have 8 bits.
TOLERANCE = {"float32": 2e-5, "mixed_bfloat16": 4e-2, "float64": 1e-12}


def make_pair(rank=2, dtype="float32", **settings):
    """Both layers, built, with the same weights, none of them at its initial value."""
    pair = [
        layer(dtype=dtype, momentum=0.9, epsilon=1e-3, **settings)
        for layer in (keras.layers.BatchNormalization, FusedBatchNormalization)
    ]
    random = np.random.default_rng(1)
    for layer in pair:
        layer.build((None,) * (rank - 1) + (3,))
    values = [random.uniform(0.5, 1.5, weight.shape) for weight in pair[0].weights]
    for layer in pair:
        layer.set_weights(values)
    return pair


def run(layer, inputs, training):
    """Outputs, gradients of a sum of cubes in the input and all weights, weights afterwards."""
    inputs = tf.cast(inputs, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
        loss = tf.reduce_sum(tf.cast(outputs, layer.variable_dtype) ** 3)
    gradients = tape.gradient(loss, [inputs, *layer.trainable_variables])
    values = [tf.cast(value, tf.float64).numpy() for value in (outputs, *gradients)]
    return outputs, values, layer.get_weights()


def assert_equal_layers(pair, inputs, training, tolerance):
    (outputs, expected, weights), (fused_outputs, fused, fused_weights) = (
        run(layer, inputs, training) for layer in pair
    )
    assert fused_outputs.dtype == outputs.dtype
    assert fused_outputs.shape == outputs.shape
    assert len(fused) == len(expected)
    for value, reference in zip(fused, expected, strict=True):
        scale = max(1.0, np.abs(reference).max(initial=0.0))
        np.testing.assert_allclose(value, reference, rtol=0, atol=tolerance * scale)
    for value, reference in zip(fused_weights, weights, strict=True):
        np.testing.assert_allclose(value, reference, rtol=0, atol=min(tolerance, 1e-5))


@pytest.mark.parametrize("mode", ["training", "inference", "frozen"])
@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("float32", (16, 3)),
        ("float32", (4, 5, 6, 3)),
        ("float32", (4, 6, 3)),
        ("float32", (2, 2, 3, 2, 3)),
        ("mixed_bfloat16", (4, 5, 6, 3)),
        ("float64", (4, 5, 6, 3)),
    ],
)
def test_fused_equals_keras(dtype, shape, mode):
    """Outputs, gradients and moving statistics; frozen is training=True, trainable=False."""
    pair = make_pair(len(shape), dtype)
    if mode == "frozen":
        for layer in pair:
            layer.trainable = False
    inputs = np.random.default_rng(0).normal(2.0, 3.0, shape).astype("float32")
    before = pair[1].get_weights()
    assert_equal_layers(pair, inputs, mode != "inference", TOLERANCE[dtype])
    changed = [not np.array_equal(a, b) for a, b in zip(before, pair[1].get_weights(), strict=True)]
    assert changed == [False, False] + [mode == "training"] * 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_fused_half_precision_weights_leave_it_to_keras(dtype):
    """The kernel wants float32 weights; a pure half-precision policy has none."""
    pair = make_pair(2, dtype)
    inputs = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    for training in (True, False):
        first, second = (layer(tf.cast(inputs, dtype), training=training) for layer in pair)
        np.testing.assert_array_equal(tf.cast(first, tf.float32), tf.cast(second, tf.float32))


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 1, 3)])
def test_fused_one_row_equals_keras(shape):
    """One value per channel: variance 0, output beta, moving variance 0.9 of what it was."""
    pair = make_pair(len(shape))
    beta, variance = pair[1].beta.numpy(), pair[1].moving_variance.numpy()
    inputs = np.full(shape, 7.0, "float32")
    assert_equal_layers(pair, inputs, True, 2e-5)
    np.testing.assert_allclose(pair[1](inputs, training=True).numpy().ravel(), beta, atol=1e-6)
    np.testing.assert_allclose(pair[1].moving_variance.numpy(), variance * 0.81, rtol=1e-5)


@pytest.mark.parametrize("shape", [(0, 3), (0, 2, 2, 3)])
def test_fused_empty_batch_inference_is_empty(shape):
    pair = make_pair(len(shape))
    assert_equal_layers(pair, np.zeros(shape, "float32"), False, 0.0)


@pytest.mark.parametrize("shape", [(0, 3), (0, 2, 2, 3)])
def test_fused_empty_batch_training_is_empty_and_has_no_statistics(shape):
    """As in Keras, the mean of nothing is NaN; batches for training are never empty."""
    pair = make_pair(len(shape))
    outputs = [layer(tf.zeros(shape), training=True) for layer in pair]
    assert outputs[0].shape == outputs[1].shape == shape
    for layer in pair:
        assert np.isnan(layer.moving_mean.numpy()).all()


@pytest.mark.parametrize("settings", [{"scale": False}, {"center": False}])
def test_fused_without_scale_or_offset_equals_keras(settings):
    pair = make_pair(**settings)
    inputs = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    assert_equal_layers(pair, inputs, True, 2e-5)


def test_fused_masked_input_equals_keras():
    """Masked steps stay out of the statistics."""
    pair = make_pair(3)
    inputs = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
    mask = np.arange(5) < np.array([[5], [3], [1], [4]])
    first, second = (layer(inputs, training=True, mask=mask) for layer in pair)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(pair[0].moving_mean, pair[1].moving_mean)


def test_fused_many_steps_follow_keras():
    """Ten batches; the moving statistics are averages of biased variances, count (n-1)/n."""
    pair = make_pair(4)
    random = np.random.default_rng(0)
    for _ in range(10):
        inputs = random.normal(5.0, 2.0, (2, 2, 2, 3)).astype("float32")
        for layer in pair:
            layer(inputs, training=True)
    for weight, reference in zip(pair[1].get_weights(), pair[0].get_weights(), strict=True):
        np.testing.assert_allclose(weight, reference, rtol=1e-5)


@pytest.mark.parametrize("shape", [(None, 3), (None, None, None, 3), (None, 4, 3)])
def test_fused_keeps_the_static_shape_in_a_graph(shape):
    layer = make_pair(len(shape))[1]
    graph = tf.function(lambda inputs: layer(inputs, training=True))
    outputs = graph.get_concrete_function(tf.TensorSpec(shape)).structured_outputs
    assert outputs.shape.as_list() == list(shape)


def test_fused_names_order_and_config_of_weights_are_those_of_keras():
    plain, fused = make_pair(name="norm")
    assert [weight.path for weight in fused.weights] == [weight.path for weight in plain.weights]
    config = fused.get_config()
    assert {**config, "synchronized": False} == plain.get_config()
    assert FusedBatchNormalization.from_config(config).get_config() == config
    assert keras.layers.BatchNormalization.from_config(config).momentum == 0.9


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_fused_survives_a_keras_file(tmp_path, dtype):
    layer = FusedBatchNormalization(momentum=0.5, synchronized=False, dtype=dtype, name="norm")
    model = keras.Sequential([keras.Input((4, 4, 3)), layer])
    inputs = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    model(inputs, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.get_layer("norm")) is FusedBatchNormalization
    assert loaded.get_layer("norm").get_config() == layer.get_config()
    np.testing.assert_array_equal(
        tf.cast(loaded(inputs), tf.float32), tf.cast(model(inputs), tf.float32)
    )


@pytest.mark.parametrize("axis", [1, 3, 0])
def test_fused_another_axis_is_refused(axis):
    with pytest.raises(ValueError, match=rf"last axis \(axis=-1\). Received: axis={axis}. Use"):
        FusedBatchNormalization(axis=axis)
