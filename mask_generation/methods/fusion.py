"""The default methods: several saliency maps that fail on different images, added up and cut.

Four maps reason from the image border (robust background detection, manifold ranking, geodesics,
barriers), one from segments that are rare and central. Each misses the object in some photographs;
their sum misses it in fewer. It is computed in a small copy of the image, where it is no worse and
takes a sixth of the time, and the mask is then cut along the edges of a larger copy by GrabCut.

The weights and sizes were chosen on halves of two sets of drawn masks (``benchmarks/README.md``);
nothing was trained.

Owns: which maps, their weights, and how far they agree. Does not own: the maps (their modules), the
cut (``mask_generation.cut.grabcut``).
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mask_generation.cut.grabcut import grabcut
from mask_generation.cut.otsu import otsu_split
from mask_generation.image.frame import frame_widths
from mask_generation.image.resize import SMALLEST_SIDE, enlarge, shrink
from mask_generation.image.segments import graph_segments
from mask_generation.image.superpixels import lab_of, stretched, superpixels
from mask_generation.methods.barrier import barrier_saliency
from mask_generation.methods.felzenszwalb import segment_saliency
from mask_generation.methods.geodesic import geodesic
from mask_generation.methods.manifold_ranking import manifold_ranking
from mask_generation.methods.robust_background import robust_background
from mask_generation.result import ForegroundMask

_Floats = NDArray[np.float32]

# Graph segments: scale (H + W) / 8 and smoothing of HARL's program; the smallest one as a share of
# the image, half of that program's.
_SEGMENT_SMOOTHING = 0.5
_SMALLEST_SEGMENT = 0.0025
# Longer side, in pixels, of the copy in which GrabCut learns colors.
_LEARN_SIZE = 120
# Below this mean correlation of the maps with their sum, they disagree about the object.
_LEAST_AGREEMENT = 0.35


@dataclasses.dataclass(frozen=True)
class Fusion:
    """A mask method that adds up saliency maps and cuts the sum.

    Attributes:
        robust_background: Weight of that map, 0 to leave it out. Default: 1.
        manifold_ranking: Likewise. Default: 1.
        geodesic: Likewise. Default: 0.5.
        barrier: Likewise. Default: 1.
        segments: Weight of contrast and position of graph segments. Default: 2.
        center_sigma: Spread of a Gaussian around the center that the sum is multiplied with, as a
            share of the sides; infinity for photographs whose objects lie anywhere. Default: 0.5.
        work_size: Longer side in pixels at which the maps are computed. Default: 160.
        cut_size: Longer side at which GrabCut cuts; 0 for Otsu's threshold instead. Default: 272.

    Raises:
        ValueError: If a setting is out of range.

    Example:
        >>> image = np.zeros((60, 80, 3), np.uint8)
        >>> image[20:40, 30:50] = (200, 40, 40)
        >>> int(Fusion()(image).mask.sum())
        400
    """

    robust_background: float = 1.0
    manifold_ranking: float = 1.0
    geodesic: float = 0.5
    barrier: float = 1.0
    segments: float = 2.0
    center_sigma: float = 0.5
    work_size: int = 160
    cut_size: int = 272

    def __post_init__(self) -> None:
        """Checks the settings."""
        weights = self._weights().values()
        if min(weights) < 0 or not max(weights) > 0 or not self.center_sigma > 0:
            raise ValueError(
                "Expected weights ≥ 0, one of them above 0, and center_sigma > 0. "
                f"Received: {self._weights()}, center_sigma={self.center_sigma}."
            )
        if self.work_size < SMALLEST_SIDE or self.cut_size < 0:
            raise ValueError(
                f"Expected work_size ≥ {SMALLEST_SIDE} and cut_size ≥ 0. "
                f"Received: work_size={self.work_size}, cut_size={self.cut_size}."
            )

    def __call__(self, rgb: NDArray[np.uint8]) -> ForegroundMask:
        """Computes the mask of an image, ``(H, W, 3)`` uint8.

        Its quality is how far the maps agree, times how much more salient the foreground is than
        the background.
        """
        small = shrink(rgb, self.work_size)
        top, bottom, left, right = frame_widths(small)
        height, width = small.shape[:2]
        inside = np.ascontiguousarray(small[top : height - bottom, left : width - right])
        fused_inside, agreement = self.saliency(inside)
        fused = np.pad(fused_inside, ((top, bottom), (left, right)))
        saliency: _Floats = enlarge(fused, *rgb.shape[:2])
        if not fused.any():
            return ForegroundMask(np.zeros(rgb.shape[:2], np.uint8), saliency, 0.0, None)
        if self.cut_size:
            mask = grabcut(rgb, fused, _LEARN_SIZE, self.cut_size)
        else:
            mask = (saliency >= otsu_split(fused)).astype(np.uint8)
        quality = agreement * _contrast(saliency, mask)
        if self.cut_size:
            saliency = (saliency + mask.astype(np.float32)) / np.float32(2)
        flag = "maps disagree" if agreement < _LEAST_AGREEMENT else None
        return ForegroundMask(mask, saliency, quality, flag)

    def saliency(self, rgb: NDArray[np.uint8]) -> tuple[_Floats, float]:
        """The sum of the maps of an image at its own size, and how far they agree with it.

        Args:
            rgb: ``(h, w, 3)`` uint8, best of the working size and without a frame.

        Returns:
            ``(h, w)`` float32 stretched to [0, 1], and the mean correlation of the maps with the
            sum, weighted, in [0, 1]. Zeros if nothing stands out.

        Example:
            >>> image = np.zeros((60, 80, 3), np.uint8)
            >>> image[20:40, 30:50] = (200, 40, 40)
            >>> saliency, agreement = Fusion().saliency(image)
            >>> bool(saliency[30, 40] == saliency.max()), agreement > 0.8
            (True, True)
        """
        weights = {name: weight for name, weight in self._weights().items() if weight}
        maps = _maps(rgb, weights)
        total = stretched(np.sum([weight * maps[name] for name, weight in weights.items()], axis=0))
        height, width = rgb.shape[:2]
        fused = stretched(total * _central(height, width, self.center_sigma)).astype(np.float32)
        alike = [_correlation(maps[name], total) for name in weights]
        agreement = np.average(alike, weights=list(weights.values()))
        return fused, float(np.clip(agreement, 0.0, 1.0))

    def _weights(self) -> dict[str, float]:
        """The weight of each map; the maps are named as the settings are."""
        return {name: getattr(self, name) for name in (*_OF_SUPERPIXELS, *_OF_PIXELS)}


def _maps(rgb: NDArray[np.uint8], names: Iterable[str]) -> dict[str, _Floats]:
    """The maps of these names, each stretched to [0, 1]."""
    parts = superpixels(rgb)
    maps = {}
    for name in names:
        if name in _OF_SUPERPIXELS:
            values = stretched(_OF_SUPERPIXELS[name](parts)).astype(np.float32)
            maps[name] = values[parts.labels]
        else:
            maps[name] = _OF_PIXELS[name](rgb)
    return maps


def _graph_segment_saliency(rgb: NDArray[np.uint8]) -> _Floats:
    """Contrast, position and boundary connectivity of Felzenszwalb's segments."""
    height, width = rgb.shape[:2]
    smallest = round(_SMALLEST_SEGMENT * height * width)
    segments = graph_segments(rgb, (height + width) / 8, _SEGMENT_SMOOTHING, smallest)
    saliency = segment_saliency(segments, lab_of(rgb))
    return stretched(saliency).astype(np.float32)[segments]


# The maps that a fusion adds up.
_OF_SUPERPIXELS = {
    "robust_background": robust_background,
    "manifold_ranking": manifold_ranking,
    "geodesic": geodesic,
}
_OF_PIXELS = {"barrier": barrier_saliency, "segments": _graph_segment_saliency}


def _central(height: int, width: int, sigma: float) -> NDArray[np.float64]:
    """A Gaussian of this spread around the center, sides counted as 1."""
    rows = ((np.arange(height) + 0.5) / height - 0.5) / sigma
    columns = ((np.arange(width) + 0.5) / width - 0.5) / sigma
    return np.exp(-0.5 * (rows[:, np.newaxis] ** 2 + columns**2))


def _contrast(saliency: _Floats, mask: NDArray[np.uint8]) -> float:
    """How much more salient the foreground is than the background; 0 if there is only one."""
    foreground = int(np.count_nonzero(mask))
    if foreground in (0, mask.size):
        return 0.0
    total, inside = float(saliency.sum()), float(saliency[mask != 0].sum())
    return max(0.0, inside / foreground - (total - inside) / (mask.size - foreground))


def _correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Pearson's correlation; 0 for a map of one value."""
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-9 else 0.0
