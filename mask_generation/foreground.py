"""From one RGB image to a foreground mask of the same size.

Owns: checking the input, and the flags, that is, the reasons not to trust a mask. Does not own: how
a mask is computed (``mask_generation.methods``), reading or writing files.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from mask_generation.image.resize import SMALLEST_SIDE, shrink
from mask_generation.methods import DEFAULT, MaskMethod, named
from mask_generation.result import ForegroundMask, check_rgb

# An image whose channels all vary by less than this (of 255) contains only noise; checked in a
# shrunken copy, where single outlier pixels are averaged out.
_MIN_CHANNEL_RANGE = 8
_LOOK_SIZE = 160
# In that copy, neighboring pixels of pure noise correlate by at most .3, those of photographs of
# 100 pixels and more by at least .57; one in a thousand 64-pixel thumbnails falls below this.
_LEAST_NEIGHBOR_CORRELATION = 0.33
_MIN_SHARE = 0.01
_MAX_SHARE = 0.90


def foreground_mask(rgb: NDArray[np.uint8], method: str | MaskMethod = DEFAULT) -> ForegroundMask:
    """Computes a label-free foreground mask of one image.

    The same image always gives the same result.

    Args:
        rgb: uint8 array of shape (H, W, 3), H, W >= 1, values 0 to 255.
        method: Name of the method, a key of ``mask_generation.METHODS``, or a method itself, such
            as ``mask_generation.Fusion`` with other settings. Default: ``"balanced"``.

    Returns:
        Mask and saliency of shape (H, W), with quality and flag. ``flag`` is
        ``"image too small"`` (a side under 16 px), ``"flat image"`` (no contrast) or ``"noise"``
        (neighboring pixels are uncorrelated), in which case mask and saliency are zeros; ``"almost
        no foreground"`` (share under 1 %) or ``"almost all foreground"`` (share over 90 %), in
        which case the mask is kept as computed; or a flag of the method, such as ``"maps
        disagree"``.

    Raises:
        TypeError: If ``rgb`` is not a numpy array.
        ValueError: If ``rgb`` is not uint8 of shape (H, W, 3), or the method is unknown.

    Example:
        >>> import numpy as np
        >>> image = np.zeros((60, 80, 3), dtype=np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> result = foreground_mask(image)
        >>> int(result.mask[30, 40]), int(result.mask[5, 5]), result.flag
        (1, 0, None)
        >>> foreground_mask(np.zeros((60, 80, 3), dtype=np.uint8)).flag
        'flat image'
    """
    check_rgb(rgb)
    compute = named(method) if isinstance(method, str) else method
    height, width = rgb.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        return _empty(height, width, "image too small")
    small = shrink(rgb, _LOOK_SIZE)
    if np.ptp(small, axis=(0, 1)).max() < _MIN_CHANNEL_RANGE:
        return _empty(height, width, "flat image")
    if _neighbor_correlation(small) < _LEAST_NEIGHBOR_CORRELATION:
        return _empty(height, width, "noise")
    result = compute(rgb)
    if not result.saliency.any():
        return _empty(height, width, "flat image")
    return judged(result)


def judged(result: ForegroundMask) -> ForegroundMask:
    """Flags a result if its share of foreground is extreme.

    Args:
        result: A mask from any method.

    Returns:
        The same result, flagged ``"almost no foreground"`` for a share under 1 %, or ``"almost all
        foreground"`` for a share over 90 %, unless it already has a flag.

    Example:
        >>> mask = np.zeros((20, 20), np.uint8)
        >>> judged(ForegroundMask(mask, mask.astype(np.float32), 1.0, None)).flag
        'almost no foreground'
    """
    if result.flag is not None:
        return result
    return dataclasses.replace(result, flag=_flag_of(result.foreground_share))


def _empty(height: int, width: int, reason: str) -> ForegroundMask:
    """The result for an image in which no foreground can be searched."""
    return ForegroundMask(
        mask=np.zeros((height, width), dtype=np.uint8),
        saliency=np.zeros((height, width), dtype=np.float32),
        quality=0.0,
        flag=reason,
    )


def _neighbor_correlation(rgb: NDArray[np.uint8]) -> float:
    """Correlation of neighboring pixels' brightness along rows or columns, whichever is higher."""
    gray = rgb.astype(np.float32).mean(axis=-1)
    gray -= gray.mean()
    variance = max(float((gray * gray).mean()), 1e-9)
    rows, columns = (gray[1:] * gray[:-1]).mean(), (gray[:, 1:] * gray[:, :-1]).mean()
    return float(max(rows, columns)) / variance


def _flag_of(share: float) -> str | None:
    """The flag of a mask with this share of foreground, or None."""
    if share < _MIN_SHARE:
        return "almost no foreground"
    if share > _MAX_SHARE:
        return "almost all foreground"
    return None
