"""Color augmentation of a whole batch on the training device.

Owns everything that changes colors and sharpness: jitter, grayscale, blur, solarization. It does
not own geometry (``harl_tf.data.geometry``), and it draws no random numbers: all draws arrive with
the batch and are functions of (seed, epoch, example), so that a batch looks the same on any number
of replicas.
"""

import enum
import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from harl_tf.layers.gaussian_blur import blur


class Draw(enum.IntEnum):
    """What each of a view's uniform draws in [0, 1) decides."""

    BRIGHTNESS = 0
    CONTRAST = 1
    SATURATION = 2
    HUE = 3
    JITTER = 4
    GRAYSCALE = 5
    SIGMA = 6
    BLUR = 7
    SOLARIZE = 8


DRAWS = len(Draw)
"""Number of uniform draws that one view of one example needs."""

BRIGHT = 127.5
"""Threshold of solarization: values from here on, which round to 128 or more, are inverted."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_GRAYSCALE = np.tile(_LUMA, (3, 1))
_TO_YIQ = np.array(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], np.float32
)
_FROM_YIQ = np.linalg.inv(_TO_YIQ).astype(np.float32)


class Plan(NamedTuple):
    """The color changes of each image of a batch, computed from its draws.

    Attributes:
        matrix: ``(batch, 3, 3)``, the matrix that every color is multiplied by.
        gray: ``(batch,)``, the multiple of the image's mean luminance that is added to every color.
        sigma: ``(batch,)``, standard deviation of the blur in pixels, 0 for no blur.
        solarize: ``(batch,)`` bool, whether the bright half is inverted.
    """

    matrix: tf.Tensor
    gray: tf.Tensor
    sigma: tf.Tensor
    solarize: tf.Tensor


@keras.saving.register_keras_serializable(package="harl_tf")
class RandomColor(keras.layers.Layer):
    """Color jitter, grayscale, Gaussian blur and solarization, as BYOL and SimCLR use them.

    Brightness, contrast, saturation, hue and grayscale are all affine in the colors. Their
    composition, whose order does not matter, is one 3×3 matrix and one offset per image, and is
    clipped once at the end. (torchvision clips after every operation, which makes a small
    difference in saturated pixels.) The blur is a Gaussian with one standard deviation per image,
    truncated at four standard deviations; edges are padded with the edge pixel.

    Args:
        brightness: Largest change of brightness, a factor in [1-b, 1+b]. Default: 0.4.
        contrast: The same for contrast, around the image's mean luminance. Default: 0.4.
        saturation: The same for saturation. Default: 0.2.
        hue: Largest rotation of the hue, in turns, within [0, 0.5]. Default: 0.1.
        jitter_probability: Share of images that get the four changes above. Default: 0.8.
        grayscale_probability: Share of images converted to grayscale. Default: 0.2.
        blur_probability: Share of images that are blurred. Default: 0.5.
        blur_sigma: Smallest and largest standard deviation of the blur, in pixels of a 224-pixel
            image; scaled with the image's side. Default: (0.1, 2.0).
        solarize_probability: Share of images whose bright half (≥ 128) is inverted. Default: 0.
        **kwargs: Arguments of ``keras.layers.Layer``.

    Raises:
        ValueError: If a probability lies outside [0, 1], a strength is negative, ``hue`` is above
            0.5, or ``blur_sigma`` is not a range of positive numbers.

    Example:
        >>> images = np.full((2, 8, 8, 3), 100, "uint8")
        >>> draws = np.random.default_rng(0).uniform(size=(2, DRAWS)).astype("float32")
        >>> RandomColor()(images, draws).shape.as_list()
        [2, 8, 8, 3]
    """

    def __init__(
        self,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.2,
        hue: float = 0.1,
        jitter_probability: float = 0.8,
        grayscale_probability: float = 0.2,
        blur_probability: float = 0.5,
        blur_sigma: tuple[float, float] = (0.1, 2.0),
        solarize_probability: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        self.strengths = {
            "brightness": brightness,
            "contrast": contrast,
            "saturation": saturation,
            "hue": hue,
        }
        self.probabilities = {
            "jitter_probability": jitter_probability,
            "grayscale_probability": grayscale_probability,
            "blur_probability": blur_probability,
            "solarize_probability": solarize_probability,
        }
        self.blur_sigma = (float(blur_sigma[0]), float(blur_sigma[1]))
        for name, value in self.strengths.items():
            if value < 0:
                raise ValueError(f"Expected {name} ≥ 0. Received: {name}={value}.")
        for name, value in self.probabilities.items():
            if not 0 <= value <= 1:
                raise ValueError(f"Expected {name} within [0, 1]. Received: {name}={value}.")
        if hue > 0.5:
            raise ValueError(f"Expected hue ≤ 0.5 (half a turn). Received: hue={hue}.")
        if not 0 < self.blur_sigma[0] <= self.blur_sigma[1]:
            raise ValueError(
                "Expected 0 < blur_sigma[0] ≤ blur_sigma[1]. "
                f"Received: blur_sigma={self.blur_sigma}."
            )
        self.built = True

    def plan(self, draws: tf.Tensor, height: int) -> Plan:
        """Computes the color changes of each image of a batch.

        Args:
            draws: ``(batch, DRAWS)`` float, uniform in [0, 1).
            height: Height of the images in pixels.
        """
        draws = tf.cast(draws, tf.float32)
        matrix, gray = self._jitter(draws)
        keep = draws[:, Draw.JITTER] >= self.probabilities["jitter_probability"]
        identity = tf.eye(3, batch_shape=[tf.shape(draws)[0]])
        matrix = tf.where(keep[:, None, None], identity, matrix)
        to_gray = draws[:, Draw.GRAYSCALE] < self.probabilities["grayscale_probability"]
        matrix = tf.where(to_gray[:, None, None], _GRAYSCALE @ matrix, matrix)
        low, high = (sigma * height / 224.0 for sigma in self.blur_sigma)
        sigma = low + draws[:, Draw.SIGMA] * (high - low)
        blur = draws[:, Draw.BLUR] < self.probabilities["blur_probability"]
        solarize = draws[:, Draw.SOLARIZE] < self.probabilities["solarize_probability"]
        return Plan(matrix, tf.where(keep, 0.0, gray), tf.where(blur, sigma, 0.0), solarize)

    def call(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Augments a batch.

        Args:
            images: ``(batch, height, width, 3)``, any numeric dtype, 0–255.
            draws: ``(batch, DRAWS)`` float, uniform in [0, 1).

        Returns:
            ``(batch, height, width, 3)`` float32, 0–255.
        """
        plan = self.plan(draws, images.shape[1])
        images = _recolor(tf.cast(images, tf.float32), plan)
        if self.probabilities["blur_probability"] > 0:
            reach = math.ceil(4 * self.blur_sigma[1] * images.shape[1] / 224.0)
            images = blur(images, plan.sigma, reach)
        inverted = tf.where(images >= BRIGHT, 255.0 - images, images)
        return tf.where(plan.solarize[:, None, None, None], inverted, images)

    def _jitter(self, draws: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The four jitter operations as ``matrix`` and ``gray`` of a ``Plan``.

        They commute: brightness scales everything, saturation and hue preserve luminance, and
        contrast blends with a gray, which saturation and hue leave unchanged.
        """

        def factor(draw: Draw, name: str) -> tf.Tensor:
            strength = self.strengths[name]
            low = max(0.0, 1.0 - strength)
            return low + draws[:, draw] * (1.0 + strength - low)

        brightness = factor(Draw.BRIGHTNESS, "brightness")
        contrast = factor(Draw.CONTRAST, "contrast")
        saturation = factor(Draw.SATURATION, "saturation")[:, None, None]
        identity = tf.eye(3, batch_shape=[tf.shape(draws)[0]])
        matrix = saturation * identity + (1.0 - saturation) * _GRAYSCALE
        matrix = _hue_rotation((2.0 * draws[:, Draw.HUE] - 1.0) * self.strengths["hue"]) @ matrix
        scale = (brightness * contrast)[:, None, None]
        return scale * matrix, (1.0 - contrast) * brightness

    def get_config(self) -> dict[str, Any]:
        """Configuration from which the layer can be rebuilt."""
        return {
            **super().get_config(),
            **self.strengths,
            **self.probabilities,
            "blur_sigma": list(self.blur_sigma),
        }


def _recolor(images: tf.Tensor, plan: Plan) -> tf.Tensor:
    luminance = tf.reduce_sum(tf.reduce_mean(images, axis=(1, 2)) * _LUMA, axis=-1)
    shape = tf.shape(images)
    flat = tf.reshape(images, (shape[0], shape[1] * shape[2], 3))
    flat = tf.matmul(flat, plan.matrix, transpose_b=True)
    flat += (plan.gray * luminance)[:, None, None]
    return tf.reshape(tf.clip_by_value(flat, 0.0, 255.0), shape)


def _hue_rotation(turns: tf.Tensor) -> tf.Tensor:
    """Rotation of the chrominance plane of YIQ, as (B, 3, 3) in RGB."""
    angle = turns * (2.0 * np.pi)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    zero, one = tf.zeros_like(angle), tf.ones_like(angle)
    rotation = tf.stack(
        [
            tf.stack([one, zero, zero], axis=-1),
            tf.stack([zero, cosine, -sine], axis=-1),
            tf.stack([zero, sine, cosine], axis=-1),
        ],
        axis=-2,
    )
    return tf.constant(_FROM_YIQ) @ rotation @ tf.constant(_TO_YIQ)
