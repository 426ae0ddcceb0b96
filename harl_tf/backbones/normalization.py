"""Normalization of the images: whether a network does it by itself, and the layer that does it."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras

IMAGENET_MEAN = (123.675, 116.28, 103.53)
"""Mean of ImageNet's RGB values in 0–255 (0.485, 0.456, 0.406 times 255)."""
IMAGENET_STD = (58.395, 57.12, 57.375)
"""Their standard deviation (0.229, 0.224, 0.225 times 255)."""

_NORMALIZING = (keras.layers.Rescaling, keras.layers.Normalization)


def normalizes_itself(network: keras.Model) -> bool:
    """Whether a network rescales or normalizes its input before the first layer that learns.

    Recognizes ``keras.layers.Rescaling`` and ``keras.layers.Normalization``, as in EfficientNet,
    MobileNetV3 and ConvNeXt of ``keras.applications``; not arithmetic by other means.

    Args:
        network: A functional model.

    Example:
        >>> normalizes_itself(resnet(18))
        True
    """
    return any(isinstance(each, _NORMALIZING) for each in before_learning(network))


def before_learning(network: keras.Model) -> Iterator[Any]:
    """The layers and other operations of a network before the first layer that learns.

    Args:
        network: A functional model; of a nested one, its own layers count.

    Example:
        >>> [type(each).__name__ for each in before_learning(resnet(18))][:2]
        ['InputLayer', 'Rescaling']
    """
    for each in getattr(network, "operations", network.layers):  # a Sequential has layers only
        if isinstance(each, keras.Model):
            yield from before_learning(each)
            return
        # Normalization has weights, which no gradient changes.
        if getattr(each, "weights", None) and not isinstance(each, _NORMALIZING):
            return
        yield each


def mean_to_subtract(
    network: keras.Model, mean: Sequence[float] | str | None, std: Sequence[float] | None
) -> Sequence[float] | None:
    """What ``feature_pyramid`` subtracts from the images of a network.

    Args:
        network: A functional model.
        mean: As in ``feature_pyramid``.
        std: As in ``feature_pyramid``.

    Returns:
        The mean of each channel; None if nothing is to be normalized.

    Raises:
        ValueError: If a mean or deviation was given and the network normalizes by itself.

    Example:
        >>> mean_to_subtract(resnet(18), "auto", None) is None
        True
    """
    if isinstance(mean, str) and mean != "auto":
        raise ValueError(f'Expected mean as "auto", None or three numbers. Received: {mean!r}.')
    if mean is None:
        return None
    given = not isinstance(mean, str) or std is not None
    if normalizes_itself(network):
        if given:
            raise ValueError(
                f"Expected mean=None and std=None: {network.name!r} begins with a layer that "
                "rescales or normalizes its input and would do so twice. "
                f"Received: mean={mean}, std={std}."
            )
        return None
    return IMAGENET_MEAN if isinstance(mean, str) else mean


def normalization(mean: Sequence[float], std: Sequence[float], dtype: str) -> keras.layers.Layer:
    """A layer that subtracts the mean of each channel and divides by its deviation.

    Args:
        mean: Per channel, in 0–255.
        std: Standard deviation per channel, likewise.
        dtype: Dtype of the layer, of full precision.

    Example:
        >>> normalization((1.0, 2.0, 3.0), (1.0, 1.0, 2.0), "float32")(np.full((1, 3), 5.0)).numpy()
        array([[4., 3., 1.]], dtype=float32)
    """
    return keras.layers.Rescaling(
        scale=[1.0 / value for value in std],
        offset=[-center / value for center, value in zip(mean, std, strict=True)],
        dtype=dtype,
        name="normalize",
    )
