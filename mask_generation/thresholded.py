"""From a saliency map to a mask method: shrink, compute, enlarge, cut.

Owns the working size and the enlargement of a saliency map. Does not own the saliency itself
(``mask_generation.methods``) nor the threshold (``mask_generation.binarize``).
"""

import dataclasses
import numbers
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.binarize import otsu_mask
from mask_generation.result import ForegroundMask

Saliency = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A function from RGB, ``(h, w, 3)`` uint8, to saliency, ``(h, w)`` float32 in [0, 1]."""

SMALLEST_SIDE = 16
"""Below this many pixels on a side there is too little to tell object from background."""


@dataclasses.dataclass(frozen=True)
class Thresholded:
    """A mask method that cuts a saliency map by Otsu's rule.

    Attributes:
        saliency: Computes the saliency of an image of the working size; zeros where nothing stands
            out. A function of a module, so that worker processes can be sent it.
        work_size: Longer side in pixels at which the saliency is computed, at least 16. Smaller
            images are not enlarged. Default: 160.

    Raises:
        ValueError: If ``work_size`` is not a whole number of at least 16.

    Example:
        >>> def red(rgb):
        ...     return (rgb[..., 0] / 255).astype("float32")
        >>> image = np.zeros((60, 80, 3), np.uint8)
        >>> image[20:40, 30:50, 0] = 250
        >>> int(Thresholded(red)(image).mask.sum())
        400
    """

    saliency: Saliency
    work_size: int = 160

    def __post_init__(self) -> None:
        """Checks the working size."""
        if not isinstance(self.work_size, numbers.Integral) or self.work_size < SMALLEST_SIDE:
            raise ValueError(
                f"The work size must be a whole number of at least {SMALLEST_SIDE} pixels, "
                f"but it is {self.work_size!r}."
            )

    def __call__(self, rgb: NDArray[np.uint8]) -> ForegroundMask:
        """Computes the mask of an image, ``(H, W, 3)`` uint8."""
        saliency = enlarge(self.saliency(shrink(rgb, self.work_size)), *rgb.shape[:2])
        mask, quality = otsu_mask(saliency)
        return ForegroundMask(mask, saliency, quality, None)


def shrink(rgb: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Resizes an image so that its longer side is at most this, never enlarging.

    Args:
        rgb: ``(H, W, 3)`` uint8.
        longer_side: In pixels.

    Returns:
        ``(h, w, 3)`` uint8 with the same aspect, antialiased.

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
    """Resizes a saliency map bilinearly, values kept in [0, 1].

    Args:
        saliency: ``(h, w)`` float32.
        height: Of the result, in pixels.
        width: Of the result, in pixels.

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
