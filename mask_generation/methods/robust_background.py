"""Robust Background Detection: saliency from how strongly a region touches the border.

After Zhu, Liang, Wei and Sun, "Saliency Optimization from Robust Background Detection", CVPR 2014;
equation numbers in this file are that paper's. The idea: relative to its size, an object has little
contact with the image border and the background has a lot. Each superpixel gets a background
probability from its border length over the square root of its area, both measured softly along
color geodesics; color contrast to likely background gives a foreground weight; a least-squares
problem combines both and smooths the result between neighbors of similar color.

One change is not in the paper's equations and was measured to help: the background cost is weighted
five times (:data:`_BACKGROUND_WEIGHT`).

Owns: the saliency of superpixels. Does not own: the superpixels
(``mask_generation.image.superpixels``), resizing and thresholding
(``mask_generation.methods.thresholded``). Cost grows with the cube of the number of superpixels.
"""

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mask_generation.image.shortest_paths import shortest_paths
from mask_generation.image.superpixels import Superpixels, gaussian, on_superpixels

_Floats = NDArray[np.float64]

# The paper's constants: color spread (Lab units), spatial spread (1 = image side), spread of the
# boundary connectivity, and the minimum of the smoothness weights.
_SIGMA_COLOR = 10.0
_SIGMA_SPACE = 0.4
_SIGMA_CONNECTIVITY = 1.0
_SMOOTHNESS_FLOOR = 0.1
# Weight of the background cost relative to the other two. The paper uses 1; with 5 the masks agree
# better with drawn masks on photographs of horses and people.
_BACKGROUND_WEIGHT = 5.0

_MIN_CONTRAST = 1e-6  # below this it is rounding, not signal


def robust_background(parts: Superpixels) -> _Floats:
    """Saliency of superpixels by robust background detection.

    Args:
        parts: The n superpixels of an image.

    Returns:
        ``(n,)`` float64; zeros if nothing stands out from the background, as in a single-color
        image.

    Example:
        >>> from mask_generation.image.superpixels import superpixels
        >>> image = np.zeros((60, 80, 3), dtype=np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> parts = superpixels(image)
        >>> saliency = robust_background(parts)[parts.labels]
        >>> bool(saliency[30, 40] > 0.9), bool(saliency[5, 5] < 0.1)
        (True, True)
    """
    background = background_probability(parts)
    contrast = _background_weighted_contrast(parts, background)
    if contrast.max() < _MIN_CONTRAST:
        return np.zeros(len(parts.area))
    return _optimize(background, contrast / contrast.max(), parts)


robust_background_saliency = on_superpixels(robust_background)
"""Saliency of an image by :func:`robust_background`, stretched to [0, 1]."""


def background_probability(parts: Superpixels) -> _Floats:
    """Equation 8: near 1 for large boundary connectivity, near 0 for small.

    Args:
        parts: The n superpixels of an image.

    Returns:
        ``(n,)`` float64 in [0, 1].

    Example:
        >>> from mask_generation.image.superpixels import measure
        >>> one_piece = measure(np.zeros((3, 3), int), np.zeros((3, 3, 3)))
        >>> background_probability(one_piece).round(3).tolist()  # connectivity 1
        [0.393]
    """
    connectivity = boundary_connectivity(geodesic_distances(parts), parts.on_border)
    return 1.0 - gaussian(connectivity, _SIGMA_CONNECTIVITY)


def boundary_connectivity(geodesic: NDArray[np.floating], on_border: NDArray[np.bool_]) -> _Floats:
    """How strongly each superpixel is connected to the image border (equations 3 to 5).

    A superpixel's soft region consists of all superpixels, weighted by exp(-d^2 / (2 sigma^2)),
    where d is their geodesic color distance and sigma = 10 Lab units. The connectivity is the
    region's weighted number of border superpixels over the square root of its weighted number of
    superpixels.

    Args:
        geodesic: float array of shape (n, n), geodesic color distances in Lab units, >= 0, zero on
            the diagonal; infinity if no path exists.
        on_border: bool array of shape (n,), True for superpixels on the image border.

    Returns:
        float64 array of shape (n,), >= 0; well below 1 for objects, above 1 for background.

    Raises:
        ValueError: If the shapes do not match.

    Example:
        >>> import numpy as np
        >>> far = np.array([[0.0, 1000.0], [1000.0, 0.0]])
        >>> boundary_connectivity(far, np.array([True, False])).tolist()
        [1.0, 0.0]
    """
    count = len(on_border)
    if geodesic.shape != (count, count):
        raise ValueError(
            f"Expected geodesic distances of shape ({count}, {count}), as on_border has {count} "
            f"superpixels. Received shape: {geodesic.shape}."
        )
    belonging = gaussian(np.asarray(geodesic, dtype=np.float64), _SIGMA_COLOR)
    area = belonging.sum(axis=1)  # equation 3
    border_length = belonging @ on_border.astype(np.float64)  # equation 4
    return border_length / np.sqrt(area)  # equation 5


def geodesic_distances(parts: Superpixels) -> _Floats:
    """Equation 2: smallest accumulated color distance along neighboring superpixels.

    All border superpixels count as neighbors of each other, so that background split in two by an
    object is still one region.
    """
    linked = parts.touching | np.logical_and.outer(parts.on_border, parts.on_border)
    edges = np.where(linked, parts.color_distance, np.inf)
    np.fill_diagonal(edges, 0.0)
    return shortest_paths(edges.astype(np.float32)).astype(np.float64)


def _background_weighted_contrast(parts: Superpixels, background: _Floats) -> _Floats:
    """Equation 7: color distance to nearby superpixels, counting only likely background."""
    nearness = gaussian(cdist(parts.center, parts.center), _SIGMA_SPACE)
    return (parts.color_distance * nearness) @ background


def _optimize(background: _Floats, foreground: _Floats, parts: Superpixels) -> _Floats:
    """Equation 9: the saliency that minimizes the sum of three squared costs.

    Likely background is pulled to 0, contrast to 1, and neighbors of similar color (equation 10)
    are pulled together. Setting the gradient to zero gives a symmetric linear system, which is
    positive definite because the graph is connected and border superpixels have a background weight
    above 0.
    """
    alike = gaussian(parts.color_distance, _SIGMA_COLOR) + _SMOOTHNESS_FLOOR
    smoothness = np.where(parts.touching, alike, 0.0)
    pull = _BACKGROUND_WEIGHT * background + foreground
    system = np.diag(pull + smoothness.sum(axis=1)) - smoothness
    return scipy.linalg.solve(system, foreground, assume_a="pos")
