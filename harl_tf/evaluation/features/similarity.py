"""Where a backbone sees foreground: each cell's similarity to the regions' mean features."""

import dataclasses

import keras
import numpy as np

from harl_tf.evaluation.features.level import one_level
from harl_tf.evaluation.labels import check_images
from harl_tf.evaluation.vectors import unit
from harl_tf.losses.cell_regions import cell_labels


@dataclasses.dataclass(frozen=True, eq=False)
class SimilarityMaps:
    """Cosine similarity of each cell of one image with the image's regions.

    Attributes:
        foreground: ``(h, w)`` float32 in [-1, 1], similarity to the mean feature of the foreground
            cells.
        background: The same for the background cells.
    """

    foreground: np.ndarray
    background: np.ndarray

    @property
    def contrast(self) -> np.ndarray:
        """``foreground - background``, ``(h, w)``: positive where a cell resembles foreground."""
        return self.foreground - self.background


def similarity_maps(
    backbone: keras.Model, image: np.ndarray, mask: np.ndarray, level: str | int | None = None
) -> SimilarityMaps:
    """Compares the cells of an image's feature map with the mean features of its two regions.

    Args:
        backbone: A model from images, 0–255, to a dict of feature maps.
        image: ``(height, width, 3)`` uint8.
        mask: ``(height, width)`` uint8, 1 = foreground.
        level: Name or number of the map. Default: the last one.

    Returns:
        The maps. A region without any cells has similarity 0 everywhere.

    Raises:
        ValueError: If ``level`` is not one of the backbone's maps, or the image's values look like
            0–1 or normalized ones.

    Example:
        >>> image, mask = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8)
        >>> mask[:, 16:] = 1
        >>> maps = similarity_maps(harl_tf.backbones.resnet(18, output_stride=8), image, mask)
        >>> maps.contrast.shape
        (4, 4)
    """
    level = one_level(backbone, level)
    check_images(image[None])
    features = backbone(image[None].astype("float32"), training=False)[level]
    cells = keras.ops.convert_to_numpy(keras.ops.cast(features, "float32"))[0]
    cells = unit(cells)
    height, width = cells.shape[:2]
    labels = cell_labels(keras.ops.convert_to_tensor(mask[None]), (height, width))
    foreground = keras.ops.convert_to_numpy(labels.regions).reshape(height, width) == 1
    return SimilarityMaps(_similarity(cells, foreground), _similarity(cells, ~foreground))


def _similarity(cells: np.ndarray, members: np.ndarray) -> np.ndarray:
    if not members.any():
        return np.zeros(cells.shape[:2], np.float32)
    mean = cells[members].mean(axis=0)
    return cells @ (mean / max(float(np.linalg.norm(mean)), 1e-12))
