import keras
import keras_hub
import numpy as np
import pytest

import harl_tf

IMAGES = np.random.default_rng(0).uniform(0, 1, (2, 64, 32, 3)).astype("float32")


def vit(**settings) -> keras.Model:
    small = {"num_layers": 1, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 16}
    return keras_hub.models.ViTBackbone(image_shape=(64, 32, 3), **{**small, **settings})


def test_tokens_become_a_map_row_by_row_without_the_class_token():
    """64×32 pixels in patches of 16: 4×2 cells after the class token."""
    network = vit(patch_size=16)
    backbone = harl_tf.backbones.feature_pyramid(network, mean=None)
    assert list(backbone.output) == ["P4"]
    expected = np.asarray(network(IMAGES))[:, 1:].reshape(2, 4, 2, 8)
    np.testing.assert_allclose(backbone(IMAGES)["P4"], expected, rtol=1e-5)


@pytest.mark.parametrize(("patch", "level"), [(8, "P3"), (32, "P5")])
def test_level_of_a_transformer_is_the_size_of_its_patches(patch, level):
    """2³ = 8, 2⁵ = 32."""
    assert list(harl_tf.backbones.feature_pyramid(vit(patch_size=patch)).output) == [level]


def test_tokens_that_are_no_square_patches_are_refused_in_a_sentence():
    tokens = keras.Input((7, 8))
    network = keras.Model(tokens, {"P4": keras.layers.Dense(4)(tokens)})
    with pytest.raises(ValueError, match=r"Expected a transformer .*Received: tokens of shape"):
        harl_tf.backbones.feature_pyramid(network)


def test_hub_transformer_whose_layers_forget_their_settings_works_as_one_layer():
    """MiT: by itself refused with the hint that is followed here."""
    network = keras_hub.models.MiTBackbone(
        layerwise_depths=[1],
        num_layers=1,
        layerwise_num_heads=[1],
        layerwise_sr_ratios=[2],
        max_drop_path_rate=0.0,
        layerwise_patch_sizes=[7],
        layerwise_strides=[4],
        image_shape=(32, 32, 3),
        hidden_dims=[8],
    )
    with pytest.raises(ValueError, match=r"as one layer: image = keras\.Input"):
        harl_tf.backbones.feature_pyramid(network)
    image = keras.Input((32, 32, 3))
    backbone = harl_tf.backbones.feature_pyramid(keras.Model(image, {"P2": network(image)}), None)
    images = IMAGES[:, :32]
    np.testing.assert_allclose(backbone(images)["P2"], network(images), rtol=1e-5)
