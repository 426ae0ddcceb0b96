"""How well label maps overlap: confusion of pixels, and the intersection over union of classes."""

import dataclasses

import numpy as np

from harl_tf.evaluation.score import short

VOID = 255
"""The label of pixels that do not count."""

_RESAMPLES = 1000


def confusion(truth: np.ndarray, found: np.ndarray, classes: int, void: int = VOID) -> np.ndarray:
    """Counts pixels by their true and their found class.

    Args:
        truth: Ints of any shape; ``void`` for pixels that do not count.
        found: Ints of the same shape, 0 to ``classes - 1``.
        classes: Number of classes.
        void: Default: 255.

    Returns:
        ``(classes, classes)`` int64: rows are true classes, columns found ones.

    Raises:
        ValueError: If the shapes differ or a label is outside the classes.

    Example:
        >>> confusion(np.array([0, 0, 1, 255]), np.array([0, 1, 1, 0]), classes=2)
        array([[1, 1],
               [0, 1]])
    """
    truth, found = np.asarray(truth), np.asarray(found)
    if truth.shape != found.shape:
        raise ValueError(
            f"Expected label maps of the same shape. Received: {truth.shape} and {found.shape}."
        )
    counts = truth != void
    truth, found = truth[counts].astype(np.int64), found[counts].astype(np.int64)
    for values, what in ((truth, "true"), (found, "found")):
        if values.size and not 0 <= values.min() <= values.max() < classes:
            wrong = values.max() if values.max() >= classes else values.min()
            raise ValueError(
                f"Expected {what} labels from 0 to {classes - 1}, or {void} for pixels that do not "
                f"count. Received: {wrong}."
            )
    return np.bincount(truth * classes + found, minlength=classes**2).reshape(classes, classes)


@dataclasses.dataclass(frozen=True)
class Overlap:
    """Intersection over union of classes, over all pixels of a set of images.

    Attributes:
        name: What was measured.
        confusions: ``(images, classes, classes)``, as ``confusion`` makes them.

    Example:
        >>> perfect = Overlap("linear", np.array([[[5, 0], [0, 3]]]))
        >>> print(perfect)
        linear mIoU 1.00 ± .00 of 1 images, 2 classes
    """

    name: str
    confusions: np.ndarray

    @property
    def by_class(self) -> np.ndarray:
        """Intersection over union of every class; NaN for one that is neither true nor found."""
        return _ious(self.confusions.sum(axis=0)[None])[0]

    @property
    def mean(self) -> float:
        """Their mean (mIoU)."""
        return float(np.nanmean(self.by_class))

    @property
    def standard_error(self) -> float:
        """Standard error of ``mean``, from a thousand draws of as many images with replacement."""
        random = np.random.default_rng(0)
        count = len(self.confusions)
        draws = random.multinomial(count, np.full(count, 1 / count), _RESAMPLES)
        return float(np.nanmean(_ious(np.tensordot(draws, self.confusions, 1)), axis=1).std())

    def __str__(self) -> str:
        """One line for people."""
        images, classes = self.confusions.shape[:2]
        return (
            f"{self.name} mIoU {short(self.mean)} ± {short(self.standard_error)} of {images} "
            f"images, {classes} classes"
        )


def _ious(confusions: np.ndarray) -> np.ndarray:
    """``(draws, classes)`` from ``(draws, classes, classes)``."""
    right = np.diagonal(confusions, axis1=1, axis2=2)
    union = confusions.sum(axis=1) + confusions.sum(axis=2) - right
    return np.where(union > 0, right / np.maximum(union, 1), np.nan)
