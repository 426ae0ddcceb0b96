"""Foreground from Felzenszwalb's segments: the classical baseline of HARL and of DetCon.

The papers use the segments (Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image
Segmentation", IJCV 2004) at several scales and Gaussian spreads, and HARL states that it makes a
binary mask; neither paper gives a rule, and HARL's code never makes one. The rule here is this
package's own. In each segmentation, the saliency of a segment is the product of three factors: the
distance of its color from those of the other segments, weighted by their size and proximity (region
contrast: Cheng et al., PAMI 2015); how little of it lies on the image border for its area (boundary
connectivity: Zhu et al., CVPR 2014, equation 1); and how close it is to the center. The maps of all
segmentations are averaged.

It is kept for ablation, to compare with what was published; other methods give better masks.

Owns: the saliency map of one image at the size it is given. Does not own: the segments
(``mask_generation.image.segments``) nor the cut (``mask_generation.methods.thresholded``).
"""

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from skimage.color import rgb2lab

from mask_generation.image.region_means import region_means
from mask_generation.image.segments import graph_segments
from mask_generation.result import check_rgb

_Floats = NDArray[np.float64]

# Spreads, in image sides, of the proximity of two segments and of the proximity to the center; and
# the spread of the boundary connectivity, 1 in its paper.
_SIGMA_SPACE = 0.4
_SIGMA_CENTER = 0.5
_SIGMA_CONNECTIVITY = 1.0

_MIN_CONTRAST = 1e-6


@dataclasses.dataclass(frozen=True)
class FelzenszwalbSaliency:
    """Saliency from Felzenszwalb's segments at several scales and Gaussian spreads.

    Attributes:
        scales: Scales of the segmentation as multiples of (H + W) / 8, the scale in HARL's code,
            where H and W are the sides of the given image. Default: half and twice that; adding the
            scale itself changes nothing.
        sigmas: Standard deviations of the Gaussian that first smooths the image, in pixels.
            Default: 0.5, as in HARL's code, and 0.8, as in DetCon's.
        min_share: Smallest segment as a share of the image. Both code bases use 1000 pixels, which
            is .005 of ImageNet's usual 500×375. Default: .005.

    Raises:
        ValueError: If a list is empty or a setting out of range.

    Example:
        >>> image = np.zeros((60, 80, 3), np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> saliency = FelzenszwalbSaliency()(image)
        >>> float(saliency[30, 40]), float(saliency[5, 5])
        (1.0, 0.0)
    """

    scales: tuple[float, ...] = (0.5, 2.0)
    sigmas: tuple[float, ...] = (0.5, 0.8)
    min_share: float = 0.005

    def __post_init__(self) -> None:
        """Checks the settings."""
        usable = self.scales and self.sigmas and min(self.scales) > 0 and min(self.sigmas) >= 0
        if not usable or not 0 <= self.min_share < 1:
            raise ValueError(
                "Expected scales > 0, sigmas ≥ 0, at least one of each, and min_share in [0, 1). "
                f"Received: scales={self.scales}, sigmas={self.sigmas}, "
                f"min_share={self.min_share}."
            )

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Saliency of an image.

        Args:
            rgb: uint8 array of shape (h, w, 3), h, w >= 1. A longer side of 160 px is no less
                accurate than 400.

        Returns:
            float32 array of shape (h, w) in [0, 1], its largest value 1; zeros if no segment
            stands out.
        """
        check_rgb(rgb)
        height, width = rgb.shape[:2]
        lab = rgb2lab(rgb)
        total = np.zeros((height, width))
        for scale, sigma in itertools.product(self.scales, self.sigmas):
            segments = graph_segments(
                rgb,
                scale * (height + width) / 8,
                sigma,
                min_size=round(self.min_share * height * width),
            )
            total += segment_saliency(segments, lab)[segments]
        spread = np.ptp(total)
        if spread < _MIN_CONTRAST:
            return np.zeros((height, width), np.float32)
        return ((total - total.min()) / spread).astype(np.float32)


def segment_saliency(segments: NDArray[np.integer], lab: NDArray[np.floating]) -> _Floats:
    """Saliency of each segment of one segmentation.

    Args:
        segments: (h, w), values 0 to n - 1, each used.
        lab: (h, w, 3) Lab colors.

    Returns:
        float64 array of shape (n,) in [0, 1], the largest 1; zeros for a single segment or if all
        have the same color.

    Example:
        >>> lab = np.zeros((5, 5, 3))
        >>> lab[2, 2] = 50
        >>> segment_saliency((lab[..., 0] > 0).astype(int), lab).round(3).tolist()
        [0.0, 1.0]
    """
    height, width = segments.shape
    area = np.bincount(segments.ravel()).astype(np.float64)
    rows, columns = np.mgrid[:height, :width]
    places = np.stack([(rows + 0.5) / height, (columns + 0.5) / width], axis=-1)
    center = region_means(segments, places, area)
    color = region_means(segments, lab, area)
    near = np.exp(-cdist(center, center, "sqeuclidean") / (2 * _SIGMA_SPACE**2))
    contrast = (near * cdist(color, color)) @ area / segments.size
    central = np.exp(-((center - 0.5) ** 2).sum(axis=1) / (2 * _SIGMA_CENTER**2))
    connectivity = _border_pixels(segments, len(area)) / np.sqrt(area)
    inside = np.exp(-(connectivity**2) / (2 * _SIGMA_CONNECTIVITY**2))
    saliency = contrast * central * inside
    return saliency / saliency.max() if saliency.max() > _MIN_CONTRAST else np.zeros(len(area))


def _border_pixels(segments: NDArray[np.integer], count: int) -> _Floats:
    """Pixels of each segment on the image border; a corner counts once."""
    border = np.ones(segments.shape, dtype=bool)
    border[1:-1, 1:-1] = False
    return np.bincount(segments[border], minlength=count).astype(np.float64)
