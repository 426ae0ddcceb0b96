"""The size of images to begin with, if nobody says another."""

import os

import keras

from harl_tf.export import ExportError, artifact
from harl_tf.zoo.places import folder_of

_USUAL = 224


def natural_size(source: str | os.PathLike[str], backbone: keras.Model) -> int:
    """Side of the images at which a backbone's features are good.

    Args:
        source: What the backbone was opened from.
        backbone: The backbone.

    Returns:
        The size that the network is fixed to; that at which our own was probed in pretraining; or
        224, for which most networks are trained.

    Example:
        >>> natural_size("elsewhere", resnet(18))
        224
    """
    fixed: int | None = backbone.inputs[0].shape[1]
    if fixed is not None:
        return fixed
    try:
        card = artifact.metadata(folder_of(source))["card"]
    except (ExportError, OSError, ValueError, KeyError):
        return _USUAL
    return card.get("image_size") or _USUAL
