"""What can be fine-tuned, and what of it can be scored."""

import keras

from harl_tf.backbones import FeaturePyramid
from harl_tf.pretraining.finite import first_not_finite


def check_pyramid(backbone: keras.Model) -> None:
    """Checks that KerasHub's models can be built on a backbone.

    Raises:
        ValueError: If it is no ``FeaturePyramid``.

    Example:
        >>> check_pyramid(resnet(18))
    """
    if not isinstance(backbone, FeaturePyramid):
        raise ValueError(
            "Expected a backbone of load_backbone, open_backbone or "
            f"harl_tf.backbones.feature_pyramid. Received: a {type(backbone).__name__}."
        )


def refuse_diverged(model: keras.Model) -> None:
    """Refuses to score a network whose weights are no numbers any more.

    Raises:
        FloatingPointError: Naming the first of them.

    Example:
        >>> refuse_diverged(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    """
    path = first_not_finite(model)
    if path is not None:
        raise FloatingPointError(
            f"The fine-tuning diverged: NaN or infinity in {path}. Use a lower rate."
        )
