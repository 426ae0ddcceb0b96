"""A linear head on frozen cells: what of a segmentation is in the features themselves."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import keras
import numpy as np
import scipy.linalg
import tensorflow as tf

from harl_tf.evaluation.classes.linear import PENALTIES
from harl_tf.evaluation.dense.overlap import VOID, Overlap, confusion
from harl_tf.evaluation.features.level import one_level
from harl_tf.evaluation.labels import check_images

_HELD_OUT = 5
"""One in so many images judges the penalties."""

Batches = Iterable[tuple[np.ndarray, np.ndarray]]


def segmentation_score(
    backbone: keras.Model,
    train: Batches,
    test: Batches,
    classes: int,
    level: str | int | None = None,
    penalties: Sequence[float] = PENALTIES,
    void: int = VOID,
) -> Overlap:
    """Segments test images by a linear classifier of the cells of a frozen feature map.

    The classifier is ridge regression, of the share of every class in a cell, on the cell's
    standardized features, so it has one solution and nothing to tune: each fifth training image
    judges the penalties. Its scores are interpolated to the size of the image.

    Args:
        backbone: A model from images to a dict of feature maps.
        train: Batches of images ``(batch, height, width, 3)``, 0–255, and label maps ``(batch,
            height, width)``. The sizes of batches may differ. They are read once.
        test: Likewise.
        classes: Number of classes.
        level: Name or number of the map. Default: the last one.
        penalties: Factors of the squared weights to choose from. Default: 0.001 to 10.
        void: Label of pixels that do not count. Default: 255.

    Returns:
        The overlap, over all test images.

    Raises:
        ValueError: If images or labels are not as described, there are none, or the backbone lacks
            the map.

    Example:
        >>> backbone = harl_tf.backbones.small_resnet(10, width=8)
        >>> images = np.zeros((2, 32, 32, 3), "uint8")
        >>> images[:, :16] = 255
        >>> labels = np.repeat([[0], [1]], 16, axis=0) * np.ones((2, 32, 32), int)
        >>> segmentation_score(backbone, [(images, labels)], [(images, labels)], 2, "P1").mean > 0.8
        True
    """
    cells = _cells(backbone, level)
    parts = {False: _Sums(), True: _Sums()}
    for index, (image, labels) in enumerate(_one_by_one(train)):
        found = cells(image)
        shares = _shares(labels, found.shape[:2], classes, void)
        parts[index % _HELD_OUT == _HELD_OUT - 1].add(found, shares)
    weights, bias = _fit(parts[False], parts[True], penalties)
    confusions = []
    for image, labels in _one_by_one(test):
        scores = cells(image) @ weights + bias
        confusions.append(confusion(labels, _largest(scores, labels.shape), classes, void))
    if not confusions:
        raise ValueError("Expected at least one test image. Received: none.")
    return Overlap("linear", np.stack(confusions))


def _cells(backbone: keras.Model, level: str | int | None) -> Callable[[np.ndarray], np.ndarray]:
    """From an image to the cells of its map, ``(height, width, channels)`` float64."""
    level = one_level(backbone, level)

    @tf.function(reduce_retracing=True)
    def features(image: tf.Tensor) -> tf.Tensor:
        return tf.cast(backbone(image, training=False)[level], tf.float64)[0]

    return lambda image: features(tf.cast(image[None], tf.float32)).numpy()


class _Sums:
    """What ridge regression needs to know of weighted cells and their targets."""

    def __init__(self) -> None:
        self.weight, self.features, self.targets = 0.0, np.zeros(1), np.zeros(1)
        self.gram, self.product = np.zeros((1, 1)), np.zeros((1, 1))
        self.squares = 0.0

    def add(self, cells: np.ndarray, shares: np.ndarray) -> None:
        """Cells ``(h, w, channels)`` and shares ``(h, w, classes)``, which add up to a weight."""
        features = cells.reshape(-1, cells.shape[-1])
        targets = shares.reshape(-1, shares.shape[-1])
        weights = targets.sum(axis=1)
        targets = targets / np.maximum(weights, 1e-12)[:, None]
        weighted = features * weights[:, None]
        self.weight += float(weights.sum())
        self.features = self.features + weighted.sum(axis=0)
        self.targets = self.targets + weights @ targets
        self.gram = self.gram + weighted.T @ features
        self.product = self.product + weighted.T @ targets
        self.squares += float((weights[:, None] * targets**2).sum())

    def joined(self, other: "_Sums") -> "_Sums":
        """The sums over both."""
        both = _Sums()
        for name, value in vars(self).items():
            setattr(both, name, value + getattr(other, name))
        return both

    def solution(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights ``(channels, classes)`` and bias ``(classes,)`` for features as they are."""
        center, mean = self.features / self.weight, self.targets / self.weight
        gram = self.gram - self.weight * np.outer(center, center)
        deviation = np.sqrt(np.maximum(np.diag(gram), 0) / self.weight)
        constant = deviation <= 1e-6 * np.abs(center) + 1e-12
        scale = np.where(constant, np.inf, deviation)
        system = gram / np.outer(scale, scale) + penalty * self.weight * np.eye(len(gram))
        product = (self.product - self.weight * np.outer(center, mean)) / scale[:, None]
        weights = scipy.linalg.solve(system, product, assume_a="pos") / scale[:, None]
        return weights, mean - center @ weights

    def error(self, weights: np.ndarray, bias: np.ndarray) -> float:
        """Squared error of a solution."""
        return float(
            np.sum(weights * (self.gram @ weights))
            + 2 * bias @ (weights.T @ self.features)
            + self.weight * bias @ bias
            - 2 * np.sum(weights * self.product)
            - 2 * bias @ self.targets
            + self.squares
        )


def _fit(
    fitted: _Sums, held_out: _Sums, penalties: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    if not fitted.weight:
        raise ValueError("Expected training images with labels. Received: none, or only void.")
    if not held_out.weight:
        return fitted.solution(sorted(penalties)[len(penalties) // 2])
    errors = [held_out.error(*fitted.solution(penalty)) for penalty in penalties]
    return fitted.joined(held_out).solution(penalties[int(np.argmin(errors))])


def _one_by_one(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for images, labels in batches:
        images, labels = np.asarray(images), np.asarray(labels)
        check_images(images)
        labels = labels[..., 0] if labels.ndim == 4 and labels.shape[-1] == 1 else labels
        if labels.shape != images.shape[:3] or labels.dtype.kind not in "iu":
            raise ValueError(
                "Expected label maps (batch, height, width) of whole numbers, as large as the "
                f"images. Received: shape {labels.shape}, dtype {labels.dtype}, for images of "
                f"shape {images.shape}."
            )
        yield from zip(images, labels, strict=True)


def _largest(scores: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """The class of each pixel: one class after the other, as all at once may take gigabytes."""
    best, classified = np.full(shape, -np.inf, np.float32), np.zeros(shape, np.int64)
    for each in range(scores.shape[-1]):
        found = tf.image.resize(scores[..., each : each + 1], tuple(shape)).numpy()[..., 0]
        better = found > best
        classified[better] = each
        best = np.where(better, found, best)
    return classified


def _shares(labels: np.ndarray, grid: Sequence[int], classes: int, void: int) -> np.ndarray:
    """Share of each class in every cell ``(h, w, classes)``; void pixels belong to none."""
    counts = labels != void
    confusion(labels, np.zeros_like(labels), classes, void)  # refuses labels outside the classes
    rows, columns = (_overlaps(*sides) for sides in zip(labels.shape, grid, strict=True))
    shares = np.zeros((*grid, classes))
    for each in np.unique(labels[counts]):
        shares[..., each] = rows @ (labels == each).astype(np.float64) @ columns.T
    return shares


def _overlaps(pixels: int, cells: int) -> np.ndarray:
    """Share of each cell, along a side, that each pixel covers: ``(cells, pixels)``."""
    edges = np.arange(cells + 1)[:, None] * pixels / cells
    first, last = edges[:-1], edges[1:]
    pixel = np.arange(pixels)[None]
    shared = np.minimum(last, pixel + 1) - np.maximum(first, pixel)
    covered: np.ndarray = np.maximum(shared, 0.0) * cells / pixels
    return covered
