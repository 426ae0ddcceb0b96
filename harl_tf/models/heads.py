"""Heads: the small networks between a backbone and a loss, thrown away after pretraining."""

import keras

from harl_tf.layers import FusedBatchNormalization


def mlp_head(channels: int, hidden_units: int, units: int, name: str) -> keras.Sequential:
    """Linear, batch normalisation, ReLU, linear: the head of SimCLR, BYOL, HARL and HAPiCL.

    On the rows of pooled features it is their projector; on the cells of a feature map, one row
    each, it is the pixel head, the same as two 1×1 convolutions.

    Args:
        channels: Number of input channels.
        hidden_units: Width of the hidden layer.
        units: Number of output channels.
        name: Name of the head.

    Returns:
        A built ``keras.Sequential``, ``(rows, channels)`` → ``(rows, units)``.

    Example:
        >>> mlp_head(8, 16, 4, "projector")(np.ones((6, 8))).shape.as_list()
        [6, 4]
    """
    head = keras.Sequential(
        [
            keras.layers.Dense(hidden_units, use_bias=False, name="hidden"),
            FusedBatchNormalization(name="hidden_norm"),
            keras.layers.ReLU(name="hidden_relu"),
            keras.layers.Dense(units, name="output"),
        ],
        name=name,
    )
    head.build((None, channels))
    return head
