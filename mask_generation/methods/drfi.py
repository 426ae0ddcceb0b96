"""Foreground by trees that learned from regions: the method DRFI.

HARL's first set of masks came from the authors' random forest, trained on hand-drawn saliency
labels. Here the trees are the user's own, trained on drawn masks, or without any on the masks of
another method (``python -m mask_generation train-drfi``).

Owns the mask method. Does not own the features and the trees (``mask_generation.drfi``) nor the
training (``mask_generation.training.drfi``).
"""

import dataclasses
import functools
import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mask_generation.methods.thresholded import Thresholded
from mask_generation.result import ForegroundMask, check_rgb

if TYPE_CHECKING:
    from mask_generation.drfi.boosted_trees import BoostedTrees


@dataclasses.dataclass(frozen=True)
class DRFI:
    """A mask method that judges the regions of an image by trained trees.

    After Jiang et al., CVPR 2013; ``mask_generation.drfi`` says what is kept of it. Only the
    path is sent to other processes.

    Attributes:
        path: File that ``train-drfi`` wrote. It is read once in each process.

    Raises:
        ModelError: If there is no such file, it is something else, or LightGBM is not installed.

    Example:
        ::

            method = DRFI("drfi.json")
            mask = mask_generation.foreground_mask(rgb, method=method).mask
    """

    path: str

    def __post_init__(self) -> None:
        """Reads the trees, so that a wrong file is reported at once."""
        object.__setattr__(self, "path", os.fspath(self.path))
        _trees(self.path)

    def __call__(self, rgb: NDArray[np.uint8]) -> ForegroundMask:
        """Computes the mask of an image, ``(H, W, 3)`` uint8."""
        return Thresholded(self.saliency, _trees(self.path).work_size)(rgb)

    def saliency(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Saliency of an image at the size it is given: the mean over the levels.

        Args:
            rgb: ``(h, w, 3)`` uint8.

        Returns:
            ``(h, w)`` float32 in [0, 1].
        """
        from mask_generation.drfi.features import describe
        from mask_generation.drfi.pixels import measure, segment

        check_rgb(rgb)
        trees = _trees(self.path)
        levels = segment(rgb, trees.scales)
        described = describe(measure(rgb), levels)
        maps = [
            trees.predict(features)[ids] for ids, features in zip(levels, described, strict=True)
        ]
        return np.mean(maps, axis=0).astype(np.float32)


@functools.lru_cache(maxsize=4)
def _trees(path: str) -> "BoostedTrees":
    from mask_generation.drfi.boosted_trees import load

    return load(path)
