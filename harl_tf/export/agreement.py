"""Whether a network in another format computes what the exporting one does.

Owns the images that both are asked about, and the limit. A converter that changes the result is an
error, not a warning: the file would be found out only in somebody's application.
"""

from collections.abc import Callable, Mapping

import keras
import numpy as np

from harl_tf.export.artifact import ExportError

LIMIT = 1e-4
"""Largest difference of a value of a feature map, relative to the map's largest value."""

Maps = Mapping[str, np.ndarray]


def check_agreement(
    backbone: keras.Model, other: Callable[[np.ndarray], Maps], side: int, what: str
) -> None:
    """Checks that another network has the same feature maps.

    Args:
        backbone: A model from images to a dict of maps.
        other: From float32 images ``(1, side, side, 3)``, 0–255, to its maps by level.
        side: Side of the image to ask about.
        what: What the other network is, for the message.

    Raises:
        ExportError: If a map is missing or differs by more than ``LIMIT``.

    Example:
        >>> backbone = harl_tf.backbones.small_resnet(10, width=8)
        >>> check_agreement(backbone, lambda images: backbone(images), 32, "itself")
    """
    images = np.random.default_rng(0).uniform(0, 255, (1, side, side, 3)).astype(np.float32)
    found = other(images)
    for level, features in backbone(images, training=False).items():
        expected = keras.ops.convert_to_numpy(keras.ops.cast(features, "float32"))
        if level not in found:
            raise ExportError(f"{what} lacks the map {level}; nothing was written.")
        scale = max(float(np.abs(expected).max()), 1e-12)
        difference = float(np.abs(np.asarray(found[level]) - expected).max()) / scale
        if not difference <= LIMIT:
            raise ExportError(
                f"{what} computes another map {level}: they differ by {difference:.2g} of the "
                f"largest value, {LIMIT:.0e} is allowed. Nothing was written."
            )
