"""Cutting a saliency map into a binary mask.

Owns: the threshold rule and the measure of how cleanly the map splits. Does not own: the saliency
itself, nor the flag of the resulting mask (``mask_generation.foreground``).
"""

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

# A map whose values differ by less than half an 8-bit step would be constant if stored as an image;
# a threshold would only split rounding noise.
_FLAT_RANGE = 0.5 / 255.0

_BINS = 256


def otsu_split(values: NDArray[np.floating]) -> float:
    """The smallest value that belongs to the upper of Otsu's two groups.

    Args:
        values: float array of any shape, at least one element, finite.

    Returns:
        The split: ``values >= split`` is the upper group. If all values are equal, that value.

    Raises:
        ValueError: If ``values`` is empty or holds NaN or infinity.

    Example:
        >>> import numpy as np
        >>> 0.1 < otsu_split(np.array([0.0, 0.1, 0.9, 1.0])) <= 0.9
        True
    """
    if values.size == 0:
        raise ValueError("Expected at least one value to split. Received: none.")
    # float64: the histogram of a narrow float32 range can have more bins than distinct numbers.
    exact = values.astype(np.float64)
    low, high = float(exact.min()), float(exact.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("Expected finite values to split. Received: NaN or infinity among them.")
    if low == high:
        return low
    # skimage returns the center of the lower group's last bin; values in the upper half of that bin
    # also belong to the lower group, so the split is the bin's upper edge.
    return float(threshold_otsu(exact, nbins=_BINS)) + 0.5 * (high - low) / _BINS


def otsu_mask(saliency: NDArray[np.floating]) -> tuple[NDArray[np.uint8], float]:
    """Thresholds a saliency map by Otsu's rule.

    Args:
        saliency: float array of shape (H, W), at least one pixel, finite values in [0, 1].

    Returns:
        The mask, uint8 of shape (H, W) with 1 where the saliency is in the upper group, and the
        quality in [0, 1]: between-class variance over total variance. A flat map
        (values differ by less than half an 8-bit step) gives an all-zero mask and quality 0.

    Raises:
        ValueError: If ``saliency`` is not two-dimensional, is empty or holds NaN or infinity.

    Example:
        >>> import numpy as np
        >>> mask, quality = otsu_mask(np.array([[0.0, 0.9], [0.1, 1.0]]))
        >>> mask.tolist()
        [[0, 1], [0, 1]]
        >>> round(quality, 3)
        0.988
    """
    if saliency.ndim != 2 or saliency.size == 0:
        raise ValueError(
            "Expected saliency of shape (height, width) with at least one pixel. "
            f"Received shape: {saliency.shape}."
        )
    values = saliency.astype(np.float64)
    # NaN and infinity fail this comparison and are refused by otsu_split.
    if np.ptp(values) < _FLAT_RANGE:
        return np.zeros(saliency.shape, dtype=np.uint8), 0.0
    above = values >= otsu_split(values)
    return above.astype(np.uint8), _separation(values, above)


def _separation(values: NDArray[np.float64], above: NDArray[np.bool_]) -> float:
    """Otsu's criterion: between-class variance over total variance, in [0, 1]."""
    share = float(above.mean())
    if share in (0.0, 1.0):
        return 0.0
    gap = float(values[above].mean() - values[~above].mean())
    return float(np.clip(share * (1.0 - share) * gap**2 / values.var(), 0.0, 1.0))
