"""From a saliency function to a mask method: shrink, compute, enlarge, threshold.

Owns the working size. Does not own the saliency itself
(``mask_generation.methods``) nor the threshold (``mask_generation.cut.otsu``).
"""

import dataclasses
import numbers
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mask_generation.cut.otsu import otsu_mask
from mask_generation.image.resize import SMALLEST_SIDE, enlarge, shrink
from mask_generation.result import ForegroundMask

Saliency = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A function from RGB, ``(h, w, 3)`` uint8, to saliency, ``(h, w)`` float32 in [0, 1]."""


@dataclasses.dataclass(frozen=True)
class Thresholded:
    """A mask method that thresholds a saliency map by Otsu's rule.

    Attributes:
        saliency: Computes the saliency of an image of the working size; zeros if nothing stands
            out. Must be a module-level function, so that it can be sent to worker processes.
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
                f"Expected work_size as a whole number ≥ {SMALLEST_SIDE}. "
                f"Received: {self.work_size!r}."
            )

    def __call__(self, rgb: NDArray[np.uint8]) -> ForegroundMask:
        """Computes the mask of an image, ``(H, W, 3)`` uint8."""
        saliency = enlarge(self.saliency(shrink(rgb, self.work_size)), *rgb.shape[:2])
        mask, quality = otsu_mask(saliency)
        return ForegroundMask(mask, saliency, quality, None)
