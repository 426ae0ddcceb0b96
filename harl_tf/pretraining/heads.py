"""Heads: the small networks between a backbone and a loss, thrown away after pretraining."""

from collections.abc import Sequence

import keras

from harl_tf.layers import FusedBatchNormalization


def mlp_head(
    channels: int,
    hidden_units: int | Sequence[int],
    units: int,
    name: str,
    batch_norm: bool = True,
    output_norm: bool = False,
) -> keras.Sequential:
    """Linear, batch normalisation, ReLU, linear: the head of SimCLR, BYOL, HARL and HAPiCL.

    Applied to pooled features, it is their projector. Applied to the cells of a feature map, one
    row each, it is the pixel head and equivalent to two 1×1 convolutions.

    Args:
        channels: Number of input channels.
        hidden_units: Width of the hidden layer, or of each of several.
        units: Number of output channels.
        name: Name of the head.
        batch_norm: Whether hidden layers are batch-normalized; those of MoCo and DenseCL are not.
            Default: True.
        output_norm: Whether the output is batch-normalized too, without scale and offset, as in
            SimSiam's projector. Default: False.

    Returns:
        A built ``keras.Sequential``, ``(rows, channels)`` → ``(rows, units)``.

    Example:
        >>> mlp_head(8, 16, 4, "projector")(np.ones((6, 8))).shape.as_list()
        [6, 4]
    """
    widths = (hidden_units,) if isinstance(hidden_units, int) else tuple(hidden_units)
    layers: list[keras.layers.Layer] = []
    for index, width in enumerate(widths):
        stem = "hidden" if len(widths) == 1 else f"hidden{index + 1}"
        layers.append(keras.layers.Dense(width, use_bias=not batch_norm, name=stem))
        if batch_norm:
            layers.append(FusedBatchNormalization(name=f"{stem}_norm"))
        layers.append(keras.layers.ReLU(name=f"{stem}_relu"))
    layers.append(keras.layers.Dense(units, use_bias=not output_norm, name="output"))
    if output_norm:
        layers.append(FusedBatchNormalization(center=False, scale=False, name="output_norm"))
    head = keras.Sequential(layers, name=name)
    head.build((None, channels))
    return head


def synchronize_batch_norm(layer: keras.layers.Layer) -> None:
    """Makes every batch normalization within a layer synchronize its statistics across replicas.

    Heads see the rows of one replica. With per-replica statistics, two replicas would not take the
    same step as one device, and a contrastive loss could tell images apart by the replica they are
    on.

    Args:
        layer: A branch, a head or any other layer; changed in place.

    Example:
        >>> head = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
        >>> synchronize_batch_norm(head)
        >>> head.layers[0].synchronized
        True
    """
    for inner in layer._flatten_layers():
        if isinstance(inner, keras.layers.BatchNormalization):
            inner.synchronized = True
