"""Backbones whose statistics have moved, of every kind that is exported differently."""

import keras
import keras_hub
import numpy as np

import harl_tf

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")


def hub_resnet(strides=(1, 2, 2, 2)) -> keras.Model:
    """Of a class of KerasHub."""
    network = keras_hub.models.ResNetBackbone(
        **{"input_conv_filters": [64], "input_conv_kernel_sizes": [7], "block_type": "basic_block"},
        stackwise_num_filters=[64, 64, 64, 64],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=list(strides),
        image_shape=(None, None, 3),
    )
    return moved(harl_tf.backbones.feature_pyramid(network, name="hub"))


def moved(backbone: keras.Model) -> keras.Model:
    """After statistics other than zeros and ones have been seen."""
    for _ in range(3):
        backbone(IMAGES, training=True)
    return backbone


def vision_transformer() -> keras.Model:
    """Of a class of KerasHub that has no pyramid of maps."""
    network = keras_hub.models.ViTBackbone(
        image_shape=(64, 64, 3),
        patch_size=(16, 16),
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        mlp_dim=16,
    )
    return harl_tf.backbones.feature_pyramid(network)


BACKBONES = {
    "hub": hub_resnet,
    "hub of stride 16": lambda: hub_resnet((1, 2, 2, 1)),
    "transformer": vision_transformer,
    "small": lambda: moved(harl_tf.backbones.small_resnet(10, width=8)),
}
