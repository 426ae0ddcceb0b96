"""Shrinking images before the computation, and enlarging saliency maps after it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SMALLEST_SIDE = 16
"""Images with fewer pixels on a side are too small to separate object and background."""


def shrink(rgb: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Resizes an image so that its longer side is at most this, never enlarging.

    Args:
        rgb: ``(H, W, 3)`` uint8.
        longer_side: In pixels.

    Returns:
        ``(h, w, 3)`` uint8 with the same aspect ratio, antialiased.

    Example:
        >>> shrink(np.zeros((100, 200, 3), np.uint8), 50).shape
        (25, 50, 3)
    """
    height, width = rgb.shape[:2]
    scale = longer_side / max(height, width)
    if scale >= 1.0:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Pillow widens the bilinear kernel when it shrinks, so this is antialiased.
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))


def enlarge(saliency: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resizes a saliency map bilinearly, with values kept in [0, 1].

    Args:
        saliency: ``(h, w)`` float32.
        height: Height of the result in pixels.
        width: Width of the result in pixels.

    Returns:
        ``(height, width)`` float32.

    Example:
        >>> enlarge(np.ones((2, 3), np.float32), 4, 6).shape
        (4, 6)
    """
    if saliency.shape != (height, width):
        image = Image.fromarray(saliency).resize((width, height), Image.Resampling.BILINEAR)
        saliency = np.asarray(image)
    return np.clip(saliency, 0.0, 1.0)
