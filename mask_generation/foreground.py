"""From one RGB image to a foreground mask of the same size.

Owns: checking the input, the working size, enlarging the saliency, and the judgement when a mask
is not to be trusted. Does not own: the saliency methods (``mask_generation.methods``), the
threshold (``mask_generation.binarize``), reading or writing files.
"""

import numbers

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.binarize import otsu_mask
from mask_generation.methods import METHODS
from mask_generation.result import ForegroundMask, check_rgb

# Below this many pixels on a side there are too few superpixels to tell object from background.
_MIN_SIDE = 16
# An image whose channels all vary by less than this (of 255) holds nothing but noise.
_MIN_CHANNEL_RANGE = 8
_MIN_SHARE = 0.01
_MAX_SHARE = 0.90


def foreground_mask(
    rgb: NDArray[np.uint8], method: str = "robust_background", work_size: int = 160
) -> ForegroundMask:
    """Compute a label-free foreground mask of one image.

    The saliency is computed on a shrunken copy, enlarged bilinearly and cut by Otsu's rule. The
    same image always gives the same result.

    Args:
        rgb: uint8 array of shape (H, W, 3), H, W >= 1, values 0 to 255.
        method: Name of the saliency method, a key of ``mask_generation.methods.METHODS``.
        work_size: Longer side in pixels at which the saliency is computed, >= 16. Smaller images
            are not enlarged.

    Returns:
        Mask and saliency of shape (H, W), with quality and fallback. ``fallback`` is
        ``"image too small"`` (a side under 16 px) or ``"flat image"`` (no contrast): mask and
        saliency are zeros then; or ``"almost no foreground"`` (share under 1 %) or ``"almost all
        foreground"`` (share over 90 %): the mask is kept as computed.

    Raises:
        TypeError: If ``rgb`` is not a numpy array.
        ValueError: If ``rgb`` is not uint8 of shape (H, W, 3), the method is unknown, or
            ``work_size`` is not a whole number of at least 16.

    Example:
        >>> import numpy as np
        >>> image = np.zeros((60, 80, 3), dtype=np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> result = foreground_mask(image)
        >>> int(result.mask[30, 40]), int(result.mask[5, 5]), result.fallback
        (1, 0, None)
        >>> foreground_mask(np.zeros((60, 80, 3), dtype=np.uint8)).fallback
        'flat image'
    """
    check_rgb(rgb)
    if method not in METHODS:
        known = ", ".join(repr(name) for name in sorted(METHODS))
        raise ValueError(f"The method must be one of {known}, but it is {method!r}.")
    if not isinstance(work_size, numbers.Integral) or work_size < _MIN_SIDE:
        raise ValueError(
            f"The work size must be a whole number of at least {_MIN_SIDE} pixels, "
            f"but it is {work_size!r}."
        )
    height, width = rgb.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return _empty(height, width, "image too small")
    small = _shrink(rgb, work_size)
    if np.ptp(small, axis=(0, 1)).max() < _MIN_CHANNEL_RANGE:
        return _empty(height, width, "flat image")
    saliency = _enlarge(METHODS[method](small), height, width)
    if not saliency.any():
        return _empty(height, width, "flat image")
    mask, quality = otsu_mask(saliency)
    return ForegroundMask(mask, saliency, quality, _doubt(float(mask.mean())))


def _empty(height: int, width: int, reason: str) -> ForegroundMask:
    """The result for an image in which no foreground can be looked for."""
    return ForegroundMask(
        mask=np.zeros((height, width), dtype=np.uint8),
        saliency=np.zeros((height, width), dtype=np.float32),
        quality=0.0,
        fallback=reason,
    )


def _doubt(share: float) -> str | None:
    """Why a mask with this share of foreground should not be trusted, or None."""
    if share < _MIN_SHARE:
        return "almost no foreground"
    if share > _MAX_SHARE:
        return "almost all foreground"
    return None


def _shrink(rgb: NDArray[np.uint8], work_size: int) -> NDArray[np.uint8]:
    """Resize so that the longer side is at most ``work_size``, never enlarging."""
    height, width = rgb.shape[:2]
    scale = work_size / max(height, width)
    if scale >= 1.0:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Pillow widens the bilinear kernel when it shrinks, so this is antialiased.
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))


def _enlarge(saliency: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize a saliency map bilinearly to (height, width), values kept in [0, 1]."""
    if saliency.shape != (height, width):
        image = Image.fromarray(saliency).resize((width, height), Image.Resampling.BILINEAR)
        saliency = np.asarray(image)
    return np.clip(saliency, 0.0, 1.0)
