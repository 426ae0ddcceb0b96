"""OpenCV's colour models, sharpened so that its cut weighs contrast as we want it.

Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004: a pixel costs what its colour says, a pair
of neighbours what their contrast says, times a weight that ``cv2.grabCut`` has fixed at 50. That
suits images of one size: of half the size, an image has a quarter of the pixels, whose colour
counts, but half of the edge, whose contrast counts.

Owns how another weight is had from it: only the ratio of the two costs decides a cut, so colours
that cost ``c`` times as much are contrast that counts for ``1 / c``. Does not own the models, which
OpenCV learns, nor the cut.
"""

import numpy as np
from numpy.typing import NDArray

OPENCV_WEIGHT = 50.0
"""Weight of contrast against colour in ``cv2.grabCut``."""

_GAUSSIANS = 5


def sharpened(model: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """A model whose colours cost about so many times as much, up to one constant for all colours.

    Each Gaussian's likelihood, weight included, is raised to the power ``factor``. Of their sum
    the same is true where one of them matters, which is nearly everywhere.

    Args:
        model: ``(1, 65)`` as ``cv2.grabCut`` has learned it: five weights, means and covariances.
        factor: Above 0; above 1 colour decides more, and contrast less.

    Returns:
        ``(1, 65)``. The weights do not sum to 1 any more.

    Example:
        >>> one = np.zeros((1, 65))
        >>> one[0, 0] = 1.0
        >>> one[0, 20:29] = 4 * np.eye(3).ravel()
        >>> sharpened(one, 2.0)[0, 20:23].tolist()
        [2.0, 0.0, 0.0]
    """
    weight, mean, covariance = np.split(model.ravel().copy(), (_GAUSSIANS, 4 * _GAUSSIANS))
    used = weight > 0
    determinant = np.linalg.det(covariance.reshape(_GAUSSIANS, 3, 3)[used])
    # OpenCV divides by the root of the new determinant, which is that of the old one but for a
    # constant; (w / √det) to the power of the factor needs the rest.
    weight[used] = weight[used] ** factor * determinant ** ((1.0 - factor) / 2.0)
    return np.concatenate([weight, mean, covariance / factor])[np.newaxis]


def of_equal_scale(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two models with their weights divided by the largest of both, far from what underflows.

    Args:
        first: ``(1, 65)``.
        second: ``(1, 65)``.

    Returns:
        Both; which of them a colour belongs to is as before.

    Example:
        >>> high, low = np.zeros((1, 65)), np.zeros((1, 65))
        >>> high[0, 0], low[0, 0] = 4.0, 1.0
        >>> [float(model[0, 0]) for model in of_equal_scale(high, low)]
        [1.0, 0.25]
    """
    largest = max(first[0, :_GAUSSIANS].max(), second[0, :_GAUSSIANS].max())
    scale = np.ones(first.shape)
    scale[0, :_GAUSSIANS] = 1.0 / largest
    return first * scale, second * scale
