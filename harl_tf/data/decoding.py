"""A record's photograph and mask as NumPy arrays, decoded at no more resolution than needed.

Owns the step from bytes to pixels in the stream of paired views. ``harl_tf.data.records`` has the
names and types of a record's fields, and TensorFlow decoders for whole images.
"""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from harl_tf.data.geometry import Window

_JPEG_FLAGS = {
    1: 0,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
"""OpenCV's flags by reduction factor; the color flag is added to them."""


def reduction(windows: Iterable[Window], size: int) -> int:
    """Largest reduction factor at which a photograph still has one pixel per pixel of each view.

    A JPEG can be decoded 2, 4 or 8 times smaller at lower cost than the full image. Each pixel is
    then the mean of a square, as downscaling requires.

    Args:
        windows: The views' windows.
        size: Side of the views in pixels.

    Returns:
        1, 2, 4 or 8.

    Example:
        >>> reduction([Window(0, 0, 400, 390, 0), Window(0, 0, 300, 900, 0)], 96)
        2
    """
    shortest = min(min(window.height, window.width) for window in windows)
    return max(factor for factor in _JPEG_FLAGS if factor == 1 or factor * size <= shortest)


def decode_photograph(jpeg: bytes, factor: int = 1) -> NDArray[np.uint8]:
    """Decodes a JPEG.

    Args:
        jpeg: The file's bytes.
        factor: Reduction factor: 1, 2, 4 or 8. Default: 1.

    Returns:
        ``(ceil(height / factor), ceil(width / factor), 3)`` uint8, RGB.

    Raises:
        ValueError: If the bytes are no image.

    Example:
        >>> jpeg = cv2.imencode(".jpg", np.zeros((5, 8, 3), np.uint8))[1].tobytes()
        >>> decode_photograph(jpeg, 2).shape
        (3, 4, 3)
    """
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION | _JPEG_FLAGS[factor]
    return _decode(jpeg, flags)


def decode_regions(png: bytes) -> NDArray[Any]:
    """Decodes a mask.

    Args:
        png: The file's bytes.

    Returns:
        ``(height, width)`` region numbers, uint8 or uint16 as stored.

    Raises:
        ValueError: If the bytes are no image.

    Example:
        >>> png = cv2.imencode(".png", np.full((2, 3), 300, np.uint16))[1].tobytes()
        >>> int(decode_regions(png)[0, 0])
        300
    """
    return _decode(png, cv2.IMREAD_UNCHANGED)


def _decode(data: bytes, flags: int) -> NDArray[Any]:
    array = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if array is None:
        raise ValueError(f"Expected an image. Received: {len(data)} bytes that are not an image.")
    return array
