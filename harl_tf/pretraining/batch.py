"""The form of a batch, and its checks.

Owns which keys there are and what may be in them. What can be known from shapes and dtypes is
checked when the step is traced; values are checked when it runs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from harl_tf import distribution
from harl_tf.pretraining.step_errors import expect

BATCH_KEYS = ("view1", "view2", "mask1", "mask2", "draws1", "draws2")
"""Keys that every batch must have."""

COLORED_KEYS = ("colored1", "colored2", "mask1", "mask2")
"""Keys of a batch whose colors the stream has already augmented."""

Batch = dict[str, tf.Tensor]


def check_batch(batch: Any, further: Sequence[str], regions: int) -> Batch:
    """Checks the keys, shapes and dtypes of a batch and the values of its masks.

    Args:
        batch: The batch.
        further: Keys that the method needs besides ``BATCH_KEYS``.
        regions: Number of regions that masks may contain.

    Returns:
        The batch, with the check as a control dependency: nothing computed from it, such as a
        weight update, runs before the check.

    Raises:
        ValueError: If a key is missing, or a shape or dtype is wrong. Values are only checked when
            the step runs; ``plain_errors`` turns that failure into a ``ValueError`` as well.
    """
    batch = _with_keys(batch, further)
    kind = "colored" if "colored1" in batch else "view"
    checks = []
    for view, mask in ((f"{kind}1", "mask1"), (f"{kind}2", "mask2")):
        _check_form(view, batch[view])
        batch[mask] = _check_mask_form(mask, batch[mask], view, batch[view])
        checks += _mask_values(mask, batch[mask], regions)
    return _after(checks, batch)


def check_range(batch: Any, now: tf.Tensor | bool = True) -> Any:
    """Checks that images are in 0–255, by a sixteenth of their pixels.

    Args:
        batch: The batch.
        now: Scalar bool, whether to check this batch. Once is enough in training, where a black
            batch should not end a long run. Default: True.

    Returns:
        The batch, with the check as a control dependency, as for ``check_batch``; what is no batch
        is left to that.

    Example:
        >>> from harl_tf.pretraining.step_errors import plain_errors
        >>> with plain_errors():
        ...     _ = check_range({"view1": tf.fill((2, 8, 8, 3), 0.5)})
        Traceback (most recent call last):
        ValueError: Expected view1 with values from 0 to 255; ... Received: 0.5.
    """
    if not isinstance(batch, Mapping):
        return batch
    views = [key for key in ("view1", "view2", "colored1", "colored2") if key in batch]
    checks = [each for view in views for each in _image_range(view, batch[view], now)]
    return _after(checks, batch)


def check_count(images: tf.Tensor, least: int, who: str) -> tf.Tensor:
    """Refuses a batch too small for a loss to mean anything.

    Args:
        images: The images of a view, on this replica.
        least: Smallest number of images in the global batch.
        who: The method, for the message.

    Returns:
        The images, with the check as a control dependency if it is left to the running step.

    Raises:
        ValueError: If there are fewer, as far as the shape says so; otherwise when the step runs.

    Example:
        >>> _ = check_count(tf.zeros((1, 8, 8, 3)), 2, "SimCLR")
        Traceback (most recent call last):
        ValueError: Expected at least 2 images per batch for SimCLR, ... Received: 1.
    """
    sentence = (
        f"Expected at least {least} images per batch for {who}, or per part of it with "
        "accumulation_steps, because its loss compares images or normalizes over them."
    )
    replicas = distribution.replica_count()
    rows = images.shape[0]
    if rows is None and least > 1:
        counted = tf.shape(images)[0] * replicas
        with tf.control_dependencies([expect(counted >= least, sentence, counted)]):
            return tf.identity(images)
    if rows is not None and rows * replicas < least:
        raise ValueError(f"{sentence} Received: {rows * replicas}.")
    return images


def _with_keys(batch: Any, further: Sequence[str]) -> Batch:
    keys = sorted(batch) if isinstance(batch, Mapping) else type(batch).__name__
    expected = (*(COLORED_KEYS if "colored1" in keys else BATCH_KEYS), *dict.fromkeys(further))
    missing = [key for key in expected if key not in keys]
    if missing:
        raise ValueError(
            f"Expected a batch with the keys {', '.join(expected)}, as harl_tf.data.PairedViews "
            f"makes them. Missing: {', '.join(missing)}. Received: {keys}."
        )
    return {key: tf.convert_to_tensor(value) for key, value in batch.items()}


def _check_form(view: str, images: tf.Tensor) -> None:
    shape = images.shape
    if shape.rank != 4 or shape[-1] not in (3, None):
        first = shape.rank == 4 and shape[1] == 3
        channels = " Channels come last; transpose the images." if first else ""
        raise ValueError(
            f"Expected {view} of shape (batch, height, width, 3). Received: {shape}.{channels}"
        )
    if images.dtype != tf.uint8 and not images.dtype.is_floating:
        raise ValueError(
            f"Expected {view} of dtype uint8 or float32, values from 0 to 255. "
            f"Received: {images.dtype.name}."
        )


def _check_mask_form(mask: str, values: tf.Tensor, view: str, images: tf.Tensor) -> tf.Tensor:
    if images.shape[1:3] != values.shape[1:]:
        raise ValueError(
            f"Expected {mask} of the height and width of {view}, {images.shape[1:3]}, "
            f"without channels. Received: {mask} of shape {values.shape}."
        )
    if values.dtype == tf.bool:
        return tf.cast(values, tf.uint8)
    if not values.dtype.is_integer:
        raise ValueError(
            f"Expected {mask} of whole numbers, 0 = background, 1 = foreground; use "
            f"tf.cast(mask > 0.5, tf.uint8). Received: dtype {values.dtype.name}."
        )
    return values


def _mask_values(mask: str, values: tf.Tensor, regions: int) -> list[tf.Operation]:
    unsigned = values.dtype.is_unsigned
    values = tf.cast(values, tf.int32)
    largest = tf.reduce_max(values)
    sentence = (
        f"Expected {mask} with values below {regions}, the number of regions, "
        "0 = background; divide masks of 0 and 255 by 255."
    )
    checks = [expect(largest < regions, sentence, largest)]
    if not unsigned:
        smallest = tf.reduce_min(values)
        sentence = f"Expected {mask} without negative values; 0 is background, void included."
        checks.append(expect(smallest >= 0, sentence, smallest))
    return checks


def _image_range(view: str, images: Any, now: tf.Tensor | bool) -> list[tf.Operation]:
    values = tf.cast(tf.convert_to_tensor(images)[:, ::4, ::4], tf.float32)
    largest, smallest = tf.reduce_max(values), tf.reduce_min(values)
    later = tf.logical_not(tf.convert_to_tensor(now))
    so = f"Expected {view} with values from 0 to 255; the backbone normalizes them by itself."
    # A batch of nothing but black is possible, one of nothing but zeros and ones is not.
    is_wide = (largest > 1.0) | (largest == 0.0)
    return [
        expect(later | (smallest >= 0.0), so, smallest),
        expect(later | (largest <= 255.5), so, largest),
        expect(later | is_wide, f"{so} Multiply images of 0 to 1 by 255. The largest:", largest),
    ]


def _after(checks: Sequence[tf.Operation], batch: Mapping[str, Any]) -> Batch:
    with tf.control_dependencies(checks):
        return {key: tf.identity(value) for key, value in batch.items()}
