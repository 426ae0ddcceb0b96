"""What labels and labeled images must be, checked before anything is computed from them."""

from typing import Any

import numpy as np


def check_labels(labels: Any, what: str = "labels") -> np.ndarray:
    """Class numbers as ``(images,)`` int64.

    Args:
        labels: Whole numbers from 0, ``(images,)`` or ``(images, 1)``.
        what: What the labels are, for messages. Default: "labels".

    Returns:
        The labels, without the second axis.

    Raises:
        ValueError: If they are one-hot, negative or no whole numbers.

    Example:
        >>> check_labels([[2], [0]]).tolist()
        [2, 0]
        >>> check_labels([-1, 0])
        Traceback (most recent call last):
        ValueError: Expected labels from 0; leave out images without a label. Received: -1.
    """
    values = np.asarray(labels)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(
            f"Expected {what} of shape (images,), one class number each; use argmax(axis=-1) on "
            f"one-hot labels. Received: shape {values.shape}."
        )
    if values.dtype.kind not in "iu":
        raise ValueError(
            f"Expected {what} as whole numbers, class numbers from 0. "
            f"Received: dtype {values.dtype}."
        )
    if values.size and int(values.min()) < 0:
        raise ValueError(
            f"Expected {what} from 0; leave out images without a label. Received: {values.min()}."
        )
    return values.astype(np.int64)


def check_images(images: Any) -> None:
    """Checks the shape and the range of a batch of images.

    Args:
        images: ``(batch, height, width, 3)``, 0–255.

    Raises:
        ValueError: If their shape is another, or their values look like 0–1 or normalized ones.

    Example:
        >>> check_images(np.full((2, 8, 8, 3), 0.5))
        Traceback (most recent call last):
        ValueError: Expected images with values from 0 to 255, ... Received: values from 0.5 to 0.5.
    """
    values = np.asarray(images)
    if values.ndim != 4 or values.shape[-1] != 3:
        raise ValueError(
            f"Expected images of shape (batch, height, width, 3). Received: shape {values.shape}."
        )
    if not values.size:
        return
    low, high = float(values.min()), float(values.max())
    # Bytes may be as dark as they like; numbers up to one are no dark photographs.
    if low < 0 or high > 255.5 or (values.dtype.kind == "f" and 0 < high <= 1):
        raise ValueError(
            "Expected images with values from 0 to 255, which the backbone normalizes by itself. "
            f"Received: values from {low:.4g} to {high:.4g}."
        )
