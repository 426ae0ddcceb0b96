"""The feature map that an evaluation works on."""

import keras

from harl_tf.pretraining.feature_maps import level_names


def one_level(backbone: keras.Model, level: str | int | None) -> str:
    """The name of a map.

    Args:
        backbone: A model from images to a dict of feature maps.
        level: Its name, or its number, counted from either end. None: the last one.

    Raises:
        ValueError: If there is no such map.

    Example:
        >>> one_level(resnet(18), None), one_level(resnet(18), -2)
        ('P5', 'P4')
    """
    (name,) = level_names(backbone.output, level)
    return name
