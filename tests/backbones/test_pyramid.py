import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones.batch_norm_layers import batch_normalizations, inner_batch_normalizations
from harl_tf.backbones.normalization import IMAGENET_MEAN, IMAGENET_STD
from harl_tf.layers import FusedBatchNormalization

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")


def keras_hub_resnet() -> keras.Model:
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(None, None, 3),
    )


@pytest.mark.parametrize("training", [False, True])
def test_feature_pyramid_equals_the_network_it_was_made_from(training):
    """KerasHub's own maps of images normalised by hand; batch statistics by another kernel."""
    network = keras_hub_resnet()
    normalized = (IMAGES - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    original = keras.Model(network.input, network.pyramid_outputs)
    expected = original(normalized.astype("float32"), training=training)
    maps = harl_tf.backbones.feature_pyramid(keras_hub_resnet_like(network))(
        IMAGES, training=training
    )
    assert sorted(maps) == ["P2", "P3"]
    for name in maps:
        np.testing.assert_allclose(maps[name], expected[name], atol=2e-5)


def keras_hub_resnet_like(network: keras.Model) -> keras.Model:
    copy = keras_hub_resnet()
    copy.set_weights(network.get_weights())
    return copy


def test_feature_pyramid_leaves_its_argument_alone():
    network = keras_hub_resnet()
    before = [value.copy() for value in network.get_weights()]
    harl_tf.backbones.feature_pyramid(network)(IMAGES, training=True)
    assert not any(isinstance(layer, FusedBatchNormalization) for layer in network.layers)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_feature_pyramid_of_a_model_without_maps_says_what_to_do():
    image = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match=r"dict of feature maps.*Wrap it: keras.Model"):
        harl_tf.backbones.feature_pyramid(keras.Model(image, keras.layers.Flatten()(image)))


@pytest.mark.parametrize(("stride", "last", "cells"), [(32, "P5", 3), (16, "P4", 6), (8, "P3", 12)])
def test_resnet_has_one_cell_per_output_stride(stride, last, cells):
    """96 pixels: 96 / stride cells a side."""
    maps = harl_tf.backbones.resnet(18, output_stride=stride)(np.zeros((1, 96, 96, 3)))
    assert maps[last].shape == (1, cells, cells, 512)


def test_resnet_18_has_the_published_number_of_parameters():
    """11,689,512 of torchvision's ResNet-18 less its classifier (513,000), plus 9,600 moving
    statistics, which Keras counts: twice the 4,800 channels that are normalised."""
    assert harl_tf.backbones.resnet(18).count_params() == 11_689_512 - 513_000 + 9_600


@pytest.mark.parametrize("argument", [{"depth": 20}, {"output_stride": 4}])
def test_resnet_with_an_unknown_argument_lists_the_known_ones(argument):
    with pytest.raises(ValueError, match=r"Expected .* in \[.*Received: .*="):
        harl_tf.backbones.resnet(**argument)


def test_rebuild_with_keras_layers_computes_the_same():
    backbone = harl_tf.backbones.feature_pyramid(keras_hub_resnet())
    backbone(IMAGES, training=True)  # moves the statistics away from 0 and 1
    plain = harl_tf.backbones.rebuild(backbone, keras.layers.BatchNormalization)
    kinds = {type(layer) for layer in batch_normalizations(plain)}
    assert kinds == {keras.layers.BatchNormalization}
    np.testing.assert_allclose(plain(IMAGES)["P3"], backbone(IMAGES)["P3"], atol=1e-5)


def test_feature_pyramid_under_bfloat16_keeps_float32_weights_and_normalization():
    keras.config.set_dtype_policy("mixed_bfloat16")
    backbone = harl_tf.backbones.resnet(18)
    assert backbone(IMAGES)["P5"].dtype == "bfloat16"
    assert {str(weight.dtype) for weight in backbone.weights} == {"float32"}
    assert backbone.get_layer("normalize").compute_dtype == "float32"


def test_normalization_over_the_last_axis_counted_from_the_left_is_replaced():
    image = keras.Input((8, 8, 3))
    network = keras.Model(image, {"P0": keras.layers.BatchNormalization(axis=3)(image)})
    (layer,) = batch_normalizations(harl_tf.backbones.feature_pyramid(network))
    assert isinstance(layer, FusedBatchNormalization)


@keras.saving.register_keras_serializable(package="tests")
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = keras.layers.BatchNormalization()

    def call(self, inputs, training=None):
        return self.norm(inputs, training=training)


def composite() -> keras.Model:
    image = keras.Input((8, 8, 3))
    return keras.Model(image, {"P0": Block()(image)})


def test_normalization_inside_a_composite_layer_is_synchronized_in_every_copy(tmp_path):
    """Of a composite layer, its configuration and so its copies know nothing of it."""
    backbone = harl_tf.backbones.feature_pyramid(composite())
    backbone.save(tmp_path / "backbone.keras")
    copies = [
        backbone,
        keras.models.clone_model(backbone),
        keras.saving.load_model(tmp_path / "backbone.keras"),
    ]
    for copy in copies:
        (inner,) = inner_batch_normalizations(copy)
        assert inner.synchronized


def test_network_whose_layers_cannot_be_copied_is_refused_in_a_sentence():
    class Forgetful(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()

        def call(self, inputs):
            return inputs

    image = keras.Input((8, 8, 3))
    network = keras.Model(image, {"P0": Forgetful(3)(image)})
    with pytest.raises(ValueError, match=r"Expected .* get_config\(\).*Received: .*Forgetful"):
        harl_tf.backbones.feature_pyramid(network)


def test_model_that_is_not_functional_is_refused_in_a_sentence():
    class Network(keras.Model):
        pass

    with pytest.raises(ValueError, match="Expected a functional model of one input"):
        harl_tf.backbones.feature_pyramid(Network())
