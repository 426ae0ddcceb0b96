"""Foreground from a pretrained backbone's own feature map, without labels.

Cells of one object have similar features. The default splits the graph of the cells in two with the
normalized cut (Shi and Malik, PAMI 2000), as in TokenCut (Wang et al., "Self-Supervised
Transformers for Unsupervised Object Discovery Using Normalized Cut", CVPR 2022); the alternative is
the first principal component of the features. The side with less of the image border is the
foreground.

There are three differences from TokenCut: features are centered over the image, because those of a
network that ends in a ReLU would otherwise all be similar; the foreground side is chosen by the
border and not by the largest entry; the map is enlarged and then thresholded by Otsu's rule,
instead of thresholding cells at their mean.

Owns: the cut of the cells. Does not own: how the features are computed
(``mask_generation.networks.feature_maps``).
"""

import dataclasses
import os
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from mask_generation.cut.otsu import otsu_mask
from mask_generation.image.resize import enlarge
from mask_generation.networks.opening import check_source
from mask_generation.result import ForegroundMask, check_rgb

_Floats = NDArray[np.float64]

CUTS = ("normalized_cut", "principal_component")

# TokenCut's cosine threshold for joining two cells, and the weight of the other pairs, which keeps
# the graph connected.
_JOINED = 0.2
_WEAK = 1e-5
# Features that vary by less than this, relative to their norm, differ only by rounding.
_MIN_VARIATION = 1e-6


@dataclasses.dataclass(frozen=True)
class FeatureCut:
    """A mask method that splits the cells of a backbone's feature map in two.

    Attributes:
        model: A folder that ``harl_tf.export_backbone`` wrote; a ``.keras`` file or a
            ``keras.Model`` that takes pixels of 0 to 255; or a KerasHub preset, as a folder or by
            name. Paths and names are opened on first use, once per process.
        level: Which of the backbone's maps to use, such as ``"P4"``. Default: the one with a cell
            per 16 pixels, or the nearest to it.
        cut: ``"normalized_cut"`` or ``"principal_component"``. Default: ``"normalized_cut"``.
        size: Longer side in pixels at which the backbone sees the image, at least 32. A backbone
            with a fixed input size uses that size. Default: 320.

    Raises:
        ModelError: If there is no such file; on first use, if it is not such a model.
        ValueError: If ``cut`` or ``size`` is out of range.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> colors = keras.Model(image, keras.layers.AveragePooling2D(16)(image))
        >>> rgb = np.zeros((320, 320, 3), np.uint8)
        >>> rgb[96:224, 96:224] = (200, 40, 40)
        >>> mask = FeatureCut(colors)(rgb).mask
        >>> int(mask[160, 160]), int(mask[5, 5])
        (1, 0)
    """

    model: Any
    level: str | None = None
    cut: str = CUTS[0]
    size: int = 320

    def __post_init__(self) -> None:
        """Checks the settings; the network itself is opened on first use."""
        if isinstance(self.model, str | os.PathLike):
            object.__setattr__(self, "model", check_source(self.model))
        if self.cut not in CUTS:
            raise ValueError(f"Expected cut in {CUTS}. Received: {self.cut!r}.")
        if self.size < 32:
            raise ValueError(f"Expected size ≥ 32. Received: {self.size}.")

    def __call__(self, rgb: NDArray[np.uint8]) -> ForegroundMask:
        """Computes the mask of an image, ``(H, W, 3)`` uint8."""
        from mask_generation.networks.feature_maps import feature_network

        check_rgb(rgb)
        cells = feature_network(self.model).cells(rgb, self.size, self.level)
        part = normalized_cut if self.cut == CUTS[0] else principal_component
        saliency = enlarge(foreground_side(part(cells)), *rgb.shape[:2])
        mask, quality = otsu_mask(saliency)
        return ForegroundMask(mask, saliency, quality, None)


def normalized_cut(cells: NDArray[np.floating]) -> _Floats:
    """Splits the cells by the second eigenvector of the graph's normalized Laplacian.

    Two cells are joined with weight 1 if the cosine of their centered features is above 0.2, and
    with 1e-5 otherwise (TokenCut's graph).

    Args:
        cells: (h, w, channels), h·w at least 2.

    Returns:
        (h, w) float64, high on one side and low on the other, in either orientation; zeros if all
        cells are alike.

    Example:
        >>> cells = np.zeros((2, 3, 1))
        >>> cells[:, 0] = 5.0
        >>> parted = normalized_cut(cells)
        >>> bool((np.sign(parted[:, :1]) == -np.sign(parted[:, 1:])).all())
        True
    """
    features = _centered(cells)
    length = np.linalg.norm(features, axis=1)
    if len(features) < 2 or not length.any():
        return np.zeros(cells.shape[:2])
    unit = features / np.maximum(length, 1e-12 * length.max())[:, None]
    weights = np.where(unit @ unit.T > _JOINED, 1.0, _WEAK)
    np.fill_diagonal(weights, 1.0)
    root = 1.0 / np.sqrt(weights.sum(axis=1))
    laplacian = np.eye(len(weights)) - root[:, None] * weights * root
    _, vectors = scipy.linalg.eigh(laplacian, subset_by_index=[1, 1])
    return (root * vectors[:, 0]).reshape(cells.shape[:2])


def principal_component(cells: NDArray[np.floating]) -> _Floats:
    """The first principal component of the features.

    Args:
        cells: (h, w, channels).

    Returns:
        (h, w) float64 with mean 0, of either sign; zeros if all cells are alike.

    Example:
        >>> cells = np.array([[[0.0, 0.0], [6.0, 8.0]]])
        >>> np.abs(principal_component(cells)).round(6).tolist()
        [[5.0, 5.0]]
    """
    features = _centered(cells)
    if not features.any():
        return np.zeros(cells.shape[:2])
    left, sizes, _ = scipy.linalg.svd(features, full_matrices=False)
    return (left[:, 0] * sizes[0]).reshape(cells.shape[:2])


def foreground_side(parted: NDArray[np.floating]) -> NDArray[np.float32]:
    """Orients and stretches a split map so that the side away from the border is high.

    Args:
        parted: (h, w); the sign does not matter.

    Returns:
        ``(h, w)`` float32 from 0 to 1, with a mean along the border of at most the overall mean;
        zeros for a constant map.

    Example:
        >>> foreground_side(np.array([[1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 1.0, 1.0]])).tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    spread = np.ptp(parted)
    if spread == 0:
        return np.zeros(parted.shape, np.float32)
    stretched = (parted - parted.min()) / spread
    border = np.ones(parted.shape, dtype=bool)
    border[1:-1, 1:-1] = False
    lean = stretched[border].mean() - stretched.mean()
    if abs(lean) < 1e-9:  # the border does not decide: take the smaller side
        lean = stretched.mean() - 0.5
    return (1 - stretched if lean > 0 else stretched).astype(np.float32)


def _centered(cells: NDArray[np.floating]) -> _Floats:
    """Features (cells, channels) minus their mean; zeros if only rounding is left."""
    features = cells.reshape(-1, cells.shape[-1]).astype(np.float64)
    centered = features - features.mean(axis=0)
    if np.abs(centered).max() <= _MIN_VARIATION * max(np.abs(features).max(), 1e-30):
        return np.zeros_like(centered)
    return centered
