"""Networks of KerasHub and Keras, as small as they can be made."""

from collections.abc import Callable

import keras
import keras_hub

models = keras_hub.models


def last_map(network: keras.Model) -> keras.Model:
    """A network of one output as one of one level."""
    return keras.Model(network.input, {"P5": network.output})


def resnet(**settings) -> keras.Model:
    small = {
        "input_conv_filters": [16],
        "input_conv_kernel_sizes": [3],
        "stackwise_num_filters": [64],
        "stackwise_num_blocks": [1],
        "stackwise_num_strides": [2],
        "image_shape": (None, None, 3),
    }
    return models.ResNetBackbone(**{**small, **settings})


def efficientnet(kinds: list[str]) -> keras.Model:
    return models.EfficientNetBackbone(
        stackwise_kernel_sizes=[3, 3],
        stackwise_num_repeats=[1, 1],
        stackwise_input_filters=[8, 8],
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 4],
        stackwise_strides=[1, 2],
        stackwise_squeeze_and_excite_ratios=[0.25, 0.25],
        stackwise_block_types=kinds,
        stackwise_force_input_filters=[0, 0],
        stackwise_nores_option=[False, False],
        width_coefficient=1.0,
        depth_coefficient=1.0,
    )


def hgnet() -> keras.Model:
    return models.HGNetV2Backbone(
        depths=[1],
        embedding_size=8,
        hidden_sizes=[16],
        stem_channels=[3, 8, 8],
        hidden_act="relu",
        use_learnable_affine_block=False,
        stackwise_stage_filters=[(8, 8, 16, 1, 1, 3)],
        apply_downsample=[True],
        use_lightweight_conv_block=[False],
    )


def csp() -> keras.Model:
    return models.CSPNetBackbone(
        stem_filters=8,
        stem_kernel_size=3,
        stem_strides=1,
        stackwise_depth=[1],
        stackwise_strides=[2],
        stackwise_num_filters=[16],
        block_type="dark_block",
        stage_type="dark",
    )


def application(name: str, **settings) -> keras.Model:
    make = getattr(keras.applications, name)
    return last_map(make(include_top=False, weights=None, **settings))


IN_GRAPH: dict[str, Callable[[], keras.Model]] = {
    "resnet_vd": lambda: resnet(block_type="basic_block_vd"),
    "resnet_v2": lambda: resnet(block_type="bottleneck_block", use_pre_activation=True),
    "cspnet": csp,
    "densenet": lambda: models.DenseNetBackbone(
        stackwise_num_repeats=[1, 1], compression_ratio=0.5, growth_rate=8
    ),
    "vit": lambda: models.ViTBackbone(
        image_shape=(32, 32, 3),
        patch_size=16,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=16,
    ),
}
"""Batch normalization, if any, is in the graph."""

COMPOSITE: dict[str, Callable[[], keras.Model]] = {
    "efficientnet_v1": lambda: efficientnet(["v1", "v1"]),
    "efficientnet_v2": lambda: efficientnet(["fused", "unfused"]),
    "hgnet_v2": hgnet,
}
"""Batch normalization is inside composite layers."""

APPLICATIONS: dict[str, Callable[[], keras.Model]] = {
    "mobilenet_v3": lambda: application("MobileNetV3Small", alpha=0.75),
    "efficientnet_v2_b0": lambda: application("EfficientNetV2B0"),
    "convnext": lambda: application("ConvNeXtTiny"),
    "resnet50_v2": lambda: application("ResNet50V2"),
    "densenet121": lambda: application("DenseNet121"),
}
"""Full-sized networks of ``keras.applications``."""
