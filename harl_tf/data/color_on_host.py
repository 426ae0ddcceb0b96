"""``RandomColor`` as a compiled kernel for CPUs.

Owns the pixel arithmetic for training without an accelerator. It equals the layer's own ``call``,
which consists of TensorFlow operations and runs on any device. On CPUs each of those operations
reads and writes whole batches, and together they take about twenty times as long. The draws and
their meaning are the layer's.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harl_tf.data.aligned import aligned_empty
from harl_tf.data.compiled import compiled
from harl_tf.layers.random_color import BRIGHT

# nogil: several threads run it at once. fastmath: sums may be reordered, for vectorization.
_on_host: Any = compiled(nogil=True, fastmath={"contract", "reassoc", "nsz"})


def apply_plan(
    images: NDArray[np.uint8],
    matrix: NDArray[np.float32],
    gray: NDArray[np.float32],
    sigma: NDArray[np.float32],
    solarize: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Augments the colors of images.

    Args:
        images: ``(batch, height, width, 3)`` uint8.
        matrix: ``(batch, 3, 3)``; see ``harl_tf.layers.random_color.Plan`` for this and the others.
        gray: ``(batch,)``.
        sigma: ``(batch,)``, in pixels.
        solarize: ``(batch,)``.

    Returns:
        ``(batch, height, width, 3)`` float32, 0–255.

    Example:
        >>> images = np.full((1, 4, 4, 3), 200, np.uint8)
        >>> half = np.eye(3, dtype=np.float32)[None] / 2
        >>> zero = np.zeros(1, np.float32)
        >>> float(apply_plan(images, half, zero, zero, np.array([False])).max())
        100.0
    """
    outputs = aligned_empty(images.shape, np.float32)
    for row, image in enumerate(images):
        _recolor(image, matrix[row], gray[row], outputs[row])
        if sigma[row] > 0:
            _blur(outputs[row], gaussian(float(sigma[row])))
        if solarize[row]:
            _solarize(outputs[row].reshape(-1))
    return outputs


def gaussian(sigma: float) -> NDArray[np.float32]:
    """One half of a Gaussian, from the center outwards, truncated at four standard deviations.

    Args:
        sigma: Positive, in pixels.

    Returns:
        ``(1 + ceil(4 sigma),)``; the full kernel, both halves and the center, sums to 1.

    Example:
        >>> half = gaussian(0.5)
        >>> len(half), round(float(half[0] + 2 * half[1:].sum()), 6)
        (3, 1.0)
    """
    distance = np.arange(1 + math.ceil(4 * sigma))
    half = np.exp(-0.5 * np.square(distance / sigma))
    return (half / (2 * half.sum() - half[0])).astype(np.float32)


@_on_host
def _recolor(image: Any, matrix: Any, gray: Any, output: Any) -> None:
    """``matrix`` times every color, plus ``gray`` times the mean luminance, clipped to 0–255."""
    pixels, colors = image.reshape(-1), output.reshape(-1)
    count = len(pixels) // 3
    offset = np.float32(0)
    if gray != 0:
        red = green = blue = 0
        for p in range(count):
            red += pixels[3 * p]
            green += pixels[3 * p + 1]
            blue += pixels[3 * p + 2]
        offset = np.float32(gray * (0.299 * red + 0.587 * green + 0.114 * blue) / count)
    low, high = np.float32(0), np.float32(255)
    m0, m1, m2 = matrix[0], matrix[1], matrix[2]
    for p in range(count):
        r, g, b = (
            np.float32(pixels[3 * p]),
            np.float32(pixels[3 * p + 1]),
            np.float32(pixels[3 * p + 2]),
        )
        colors[3 * p] = min(max(m0[0] * r + m0[1] * g + m0[2] * b + offset, low), high)
        colors[3 * p + 1] = min(max(m1[0] * r + m1[1] * g + m1[2] * b + offset, low), high)
        colors[3 * p + 2] = min(max(m2[0] * r + m2[1] * g + m2[2] * b + offset, low), high)


@_on_host
def _blur(image: Any, half: Any) -> None:
    """Blurs along columns, then along rows; edges are padded with the edge pixel."""
    height, width, _ = image.shape
    radius, length = len(half) - 1, 3 * width
    source = image.reshape(height, length).copy()
    padded = np.empty(length + 6 * radius, np.float32)
    line = padded[3 * radius : 3 * radius + length]
    for y in range(height):
        here = source[y]
        for x in range(length):
            line[x] = half[0] * here[x]
        for t in range(1, radius + 1):
            above, below = source[max(y - t, 0)], source[min(y + t, height - 1)]
            for x in range(length):
                line[x] += half[t] * (above[x] + below[x])
        for t in range(radius):
            for c in range(3):
                padded[3 * t + c] = line[c]
                padded[3 * radius + length + 3 * t + c] = line[length - 3 + c]
        target = image[y].reshape(-1)
        for x in range(length):
            target[x] = half[0] * line[x]
        for t in range(1, radius + 1):
            left = padded[3 * (radius - t) : 3 * (radius - t) + length]
            right = padded[3 * (radius + t) : 3 * (radius + t) + length]
            for x in range(length):
                target[x] += half[t] * (left[x] + right[x])


@_on_host
def _solarize(colors: Any) -> None:
    for i in range(len(colors)):
        if colors[i] >= BRIGHT:
            colors[i] = 255 - colors[i]
