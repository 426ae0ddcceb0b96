"""Sharpening OpenCV's color models, which sets the weight of contrast in its cut.

In "GrabCut" (Rother, Kolmogorov and Blake, SIGGRAPH 2004) the cost of a pixel depends on its color,
and the cost of a pair of neighbors on their contrast, times a weight that ``cv2.grabCut`` fixes at
50. That suits one image size only: an image of half the size has a quarter of the pixels, which
contribute color costs, but half of the edge length, which contributes contrast costs.

Owns the way to a different weight: only the ratio of the two costs decides a cut, so multiplying
the color costs by ``c`` amounts to multiplying the contrast weight by ``1 / c``. Owns neither the
models, which OpenCV learns, nor the cut.
"""

import numpy as np
from numpy.typing import NDArray

OPENCV_WEIGHT = 50.0
"""Weight of contrast relative to color in ``cv2.grabCut``."""

_GAUSSIANS = 5


def sharpened(model: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """A model whose color costs are multiplied by about ``factor``, up to an additive constant.

    Each Gaussian's likelihood, including its weight, is raised to the power ``factor``. The same
    holds for their sum wherever one Gaussian dominates, which is nearly everywhere.

    Args:
        model: ``(1, 65)`` as learned by ``cv2.grabCut``: five weights, means and covariances.
        factor: Positive; above 1 gives color more influence and contrast less.

    Returns:
        ``(1, 65)``. The weights no longer sum to 1.

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
    # OpenCV divides by the root of the new determinant, which equals the old one up to a constant;
    # the weight supplies what is missing to (w / √det) to the power of the factor.
    weight[used] = weight[used] ** factor * determinant ** ((1.0 - factor) / 2.0)
    return np.concatenate([weight, mean, covariance / factor])[np.newaxis]


def of_equal_scale(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two models with their weights divided by the largest weight of both, to avoid underflow.

    Args:
        first: ``(1, 65)``.
        second: ``(1, 65)``.

    Returns:
        Both models; which of them a color belongs to does not change.

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
