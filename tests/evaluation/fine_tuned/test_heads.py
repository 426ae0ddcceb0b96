"""The heads of a new RetinaNet begin as its paper says, and values keep their size on the way."""

import keras
import keras_hub
import numpy as np

import harl_tf
from harl_tf.evaluation import fresh_heads


def detector():
    pyramid = keras_hub.models.RetinaNetBackbone(
        harl_tf.backbones.small_resnet(10, width=8),
        min_level=3,
        max_level=5,
        use_p5=False,
        image_shape=(64, 64, 3),
    )
    return keras_hub.models.RetinaNetObjectDetector(
        pyramid, num_classes=3, bounding_box_format="xyxy"
    )


def test_heads_begin_without_objects_and_with_the_anchors_as_boxes():
    """One in a hundred; a difference of 0 from each anchor."""
    model = detector()
    fresh_heads(model)
    values = np.random.default_rng(0).normal(size=(2, 8, 8, 256))
    shares = keras.ops.sigmoid(model.classification_head(values)).numpy()
    assert 0.003 < np.quantile(shares, 0.05) < 0.01 < np.quantile(shares, 0.95) < 0.03
    assert abs(model.box_head(values).numpy()).mean() < 1


def test_values_keep_their_size_from_layer_to_layer():
    """The mean square stays within a factor of four over four layers."""
    model = detector()
    fresh_heads(model)
    values = np.random.default_rng(0).normal(size=(4, 16, 16, 256)).astype("float32")
    for layer in model.classification_head.conv_layers:
        values = keras.ops.relu(layer(values)).numpy()
    assert 0.25 < np.mean(values**2) < 4


def test_weights_are_those_of_the_seed():
    first, same, other = (detector() for _ in range(3))
    for model, seed in ((first, 1), (same, 1), (other, 2)):
        fresh_heads(model, seed)
    kernels = [model.box_head.conv_layers[1].kernel.numpy() for model in (first, same, other)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_weights_of_keras_hub_are_still_in_need_of_it():
    """If this fails, KerasHub has been mended: leave ``fresh_heads`` out."""
    model = detector()
    assert not model.classification_head.prediction_layer.bias.numpy().any()
    assert model.box_head.prediction_layer.bias.numpy().all()
