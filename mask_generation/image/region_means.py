"""Means over the pixels of each region of a label map."""

import numpy as np
from numpy.typing import NDArray


def region_means(
    labels: NDArray[np.integer], values: NDArray[np.floating], area: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The mean of every region.

    Args:
        labels: ``(H, W)``, the region number of each pixel, from 0.
        values: ``(H, W)`` or ``(H, W, channels)``.
        area: ``(regions,)``, number of pixels of each region, at least 1.

    Returns:
        ``(regions,)`` or ``(regions, channels)``.

    Example:
        >>> labels = np.array([[0, 0, 1]])
        >>> region_means(labels, np.array([[1.0, 3.0, 8.0]]), np.array([2.0, 1.0])).tolist()
        [2.0, 8.0]
    """
    flat = labels.ravel()
    columns = values.reshape(flat.size, -1).T
    sums = [np.bincount(flat, weights=column, minlength=len(area)) for column in columns]
    means = np.stack(sums, axis=-1) / area[:, np.newaxis]
    return means.reshape(len(area), *values.shape[2:])
