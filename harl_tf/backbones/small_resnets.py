"""Residual networks for small images and few processors.

Owns what KerasHub's ResNet does not offer: a width, and a stem without pooling. That ResNet has 64
channels at least and reduces an image fourfold before its first block, to 16×16 cells of a 64-pixel
view. These networks are built from the same blocks.
"""

import keras

from harl_tf.backbones.data_format import check_channels_last
from harl_tf.backbones.pyramid import feature_pyramid

_BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
_STEM_STRIDES = (1, 2, 4)


def small_resnet(
    depth: int = 18, width: int = 32, stem_stride: int = 2, name: str | None = None
) -> keras.Model:
    """A ResNet of basic blocks as a feature pyramid, randomly initialized.

    Four groups of blocks (He et al. 2016, Deep Residual Learning for Image Recognition, table 1),
    each with twice the channels and half the cells of the one before. The stem is one 3×3
    convolution, as in the paper's networks for CIFAR-10; with a stride of 4, one of 4×4. Shortcuts
    are pooled before their convolution (He et al. 2019, Bag of Tricks for Image Classification with
    Convolutional Neural Networks, ResNet-D).

    Args:
        depth: 10, 18 or 34: one, two or three to six blocks a group. Default: 18.
        width: Channels of the first group; the last has eight times as many. Default: 32.
        stem_stride: Image pixels per cell of the first group, 1, 2 or 4; a cell of the last map is
            eight times as long. Default: 2.
        name: Name of the model. Default: made of the settings.

    Returns:
        A model as made by ``feature_pyramid``. A level's number is the base-2 logarithm of its
        stride: ``P1`` to ``P4`` with a ``stem_stride`` of 2.

    Raises:
        ValueError: If a setting is none of those above, or if Keras is set to ``channels_first``.

    Example:
        >>> backbone = small_resnet(10, width=8)
        >>> maps = backbone(np.zeros((1, 64, 64, 3)))
        >>> list(maps), maps["P4"].shape.as_list()
        (['P1', 'P2', 'P3', 'P4'], [1, 4, 4, 64])
    """
    if depth not in _BLOCKS:
        raise ValueError(f"Expected depth in {sorted(_BLOCKS)}. Received: depth={depth}.")
    if width < 1 or stem_stride not in _STEM_STRIDES:
        raise ValueError(
            f"Expected width ≥ 1 and stem_stride in {_STEM_STRIDES}. "
            f"Received: width={width}, stem_stride={stem_stride}."
        )
    check_channels_last()
    image = keras.Input((None, None, 3))
    side = max(stem_stride, 3)
    features = _relu(_convolved(image, width, side, stem_stride, "stem"), "stem")
    maps = {}
    first = stem_stride.bit_length() - 1
    for group, blocks in enumerate(_BLOCKS[depth]):
        for block in range(blocks):
            stride = 2 if group > 0 and block == 0 else 1
            part = f"group{group + 1}_block{block + 1}"
            features = _basic_block(features, width * 2**group, stride, part)
        maps[f"P{first + group}"] = features
    name = name or f"small_resnet{depth}_{width}"
    return feature_pyramid(keras.Model(image, maps, name=name))


def _basic_block(
    features: keras.KerasTensor, channels: int, stride: int, name: str
) -> keras.KerasTensor:
    shortcut = features
    if stride > 1:
        # The mean of the cells that become one, instead of the first of them (ResNet-D): with
        # Keras's padding the 3×3 convolution of the other path is centered on none of them.
        shortcut = keras.layers.AveragePooling2D(stride, padding="same", name=f"{name}_pool")(
            shortcut
        )
    if features.shape[-1] != channels:
        shortcut = _convolved(shortcut, channels, 1, 1, f"{name}_shortcut")
    inner = _relu(_convolved(features, channels, 3, stride, f"{name}_1"), f"{name}_1")
    inner = _convolved(inner, channels, 3, 1, f"{name}_2")
    return _relu(keras.layers.Add(name=f"{name}_add")([inner, shortcut]), name)


def _convolved(
    features: keras.KerasTensor, channels: int, side: int, stride: int, name: str
) -> keras.KerasTensor:
    """Convolution and batch normalization."""
    convolution = keras.layers.Conv2D(
        channels,
        side,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(
        convolution(features)
    )


def _relu(features: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.ReLU(name=f"{name}_relu")(features)
