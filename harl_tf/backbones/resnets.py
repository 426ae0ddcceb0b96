"""KerasHub's ResNets in the form that harl_tf trains."""

import keras
import keras_hub

from harl_tf.backbones.data_format import check_channels_last
from harl_tf.backbones.pyramid import feature_pyramid

_RESNET_BLOCKS = {
    18: ("basic_block", [2, 2, 2, 2]),
    34: ("basic_block", [3, 4, 6, 3]),
    50: ("bottleneck_block", [3, 4, 6, 3]),
    101: ("bottleneck_block", [3, 4, 23, 3]),
    152: ("bottleneck_block", [3, 8, 36, 3]),
}
_RESNET_STRIDES = {32: [1, 2, 2, 2], 16: [1, 2, 2, 1], 8: [1, 2, 1, 1]}


def resnet(depth: int = 50, output_stride: int = 32) -> keras.Model:
    """KerasHub's ResNet as a feature pyramid, randomly initialized.

    Args:
        depth: 18, 34, 50, 101 or 152. Default: 50.
        output_stride: Image pixels per cell of the last map, 32, 16 or 8: a 224-pixel image gives
            7×7, 14×14 or 28×28 cells. Default: 32.

    Returns:
        A model as made by ``feature_pyramid``. A level's number is the base-2 logarithm of its
        stride: ``P2`` to ``P5``, or to ``P4`` with an ``output_stride`` of 16, whose map is that of
        the last group of blocks.

    Raises:
        ValueError: If ``depth`` or ``output_stride`` is not one of those above, or if Keras is set
            to ``channels_first``.

    Example:
        >>> backbone = resnet(18)
        >>> backbone(np.zeros((1, 64, 64, 3)))["P5"].shape.as_list()
        [1, 2, 2, 512]
    """
    if depth not in _RESNET_BLOCKS:
        raise ValueError(f"Expected depth in {sorted(_RESNET_BLOCKS)}. Received: depth={depth}.")
    if output_stride not in _RESNET_STRIDES:
        raise ValueError(
            f"Expected output_stride in {sorted(_RESNET_STRIDES)}. "
            f"Received: output_stride={output_stride}."
        )
    check_channels_last()
    block_type, blocks = _RESNET_BLOCKS[depth]
    network = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=blocks,
        stackwise_num_strides=_RESNET_STRIDES[output_stride],
        block_type=block_type,
        image_shape=(None, None, 3),
    )
    return feature_pyramid(network, name=f"resnet{depth}")
