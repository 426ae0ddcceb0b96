"""Whether a network in another format computes what the exporting one does.

Owns the images that both are asked about, and the limit. A converter that changes the result is an
error, not a warning: the file would be found out only in somebody's application.
"""

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from harl_tf.export.artifact import ExportError
from harl_tf.export.native import plain

_SIDE = 224
LIMIT = 1e-4
"""Largest difference of a value of a feature map, relative to the map's largest value."""

Maps = Mapping[str, np.ndarray]


def check_agreement(
    backbone: keras.Model, other: Callable[[np.ndarray], Maps], side: int | None, what: str
) -> None:
    """Checks that another network has the same feature maps.

    Args:
        backbone: A model from images to a dict of maps, or to a single output.
        other: From float32 images ``(1, side, side, 3)``, 0–255, to its maps by level.
        side: Side of the image to ask about. None: the size that the backbone takes, or 224.
        what: What the other network is, for the message.

    Raises:
        ExportError: If a map is missing or differs by more than ``LIMIT``.

    Example:
        >>> backbone = harl_tf.backbones.small_resnet(10, width=8)
        >>> check_agreement(backbone, lambda images: backbone(images), 32, "itself")
    """
    height, width = (side or given or _SIDE for given in backbone.inputs[0].shape[1:3])
    images = np.random.default_rng(0).uniform(0, 255, (1, height, width, 3)).astype(np.float32)
    found = other(images)
    # In float32, and where no convolution is rounded to fewer bits, as on GPUs.
    with tf.device("CPU"):
        maps = plain(backbone)(images, training=False)
    if not isinstance(maps, Mapping):  # of a classifier, one output by whatever name
        maps, found = {"output": maps}, {"output": next(iter(found.values()))}
    for level, features in maps.items():
        expected = keras.ops.convert_to_numpy(features)
        if level not in found or np.shape(found[level]) != expected.shape:
            raise ExportError(
                f"{what} lacks the map {level} of {expected.shape}; nothing was written."
            )
        scale = max(float(np.abs(expected).max()), 1e-12)
        difference = float(np.abs(np.asarray(found[level]) - expected).max()) / scale
        if not difference <= LIMIT:
            raise ExportError(
                f"{what} computes another map {level}: they differ by {difference:.2g} of the "
                f"largest value, {LIMIT:.0e} is allowed. Nothing was written."
            )
