"""Checks with readable errors: of a model, of a batch, of replicas that share batches."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from harl_tf.data import PairedViews

BATCH_KEYS = ("view1", "view2", "mask1", "mask2", "draws1", "draws2")
"""Keys that every batch must have."""

COLORED_KEYS = ("colored1", "colored2", "mask1", "mask2")
"""Keys of a batch whose colors the stream has already augmented."""

_MARK = "harl_tf: "


def check_model(
    backbone: Any, regions: int, momentum: Any, augmentations: Sequence[keras.layers.Layer]
) -> None:
    """Checks the arguments of a model.

    Raises:
        ValueError: If an argument is not as ``Pretraining`` documents it.

    Example:
        >>> check_model(resnet(18), 2, 0.99, [keras.layers.Identity()] * 2)
    """
    if not isinstance(getattr(backbone, "output", None), dict):
        raise ValueError(
            "Expected a backbone whose output is a dict of feature maps, such as "
            "harl_tf.backbones.resnet(50) or harl_tf.backbones.feature_pyramid(network). "
            f"Received: {backbone!r}."
        )
    if regions < 2:
        raise ValueError(f"Expected regions ≥ 2. Received: regions={regions}.")
    if isinstance(momentum, int | float) and not 0 <= momentum <= 1:
        raise ValueError(f"Expected momentum within [0, 1]. Received: momentum={momentum}.")
    if len(augmentations) != 2:
        raise ValueError(
            "Expected two augmentations, one for each view. "
            f"Received: {len(augmentations)} of them."
        )


def check_batch(batch: Any, further: Sequence[str], regions: int) -> dict[str, tf.Tensor]:
    """Checks the keys, sizes and mask values of a batch.

    Args:
        batch: The batch.
        further: Keys that the method needs besides ``BATCH_KEYS``.
        regions: Number of regions that masks may contain.

    Returns:
        The batch, with the check as a control dependency: nothing computed from it, such as a
        weight update, runs before the check.

    Raises:
        ValueError: If a key is missing or a mask differs in size from its images. Mask values are
            only checked when the step runs; ``plain_errors`` turns that failure into a
            ``ValueError`` as well.
    """
    keys = sorted(batch) if isinstance(batch, Mapping) else type(batch).__name__
    done = "colored1" in keys
    expected = (*(COLORED_KEYS if done else BATCH_KEYS), *dict.fromkeys(further))
    missing = [key for key in expected if key not in keys]
    if missing:
        raise ValueError(
            f"Expected a batch with the keys {', '.join(expected)}, as harl_tf.data.PairedViews "
            f"makes them. Missing: {', '.join(missing)}. Received: {keys}."
        )
    checks = []
    kind = "colored" if done else "view"
    for view, mask in ((f"{kind}1", "mask1"), (f"{kind}2", "mask2")):
        if batch[view].shape[1:3] != batch[mask].shape[1:]:
            raise ValueError(
                f"Expected {mask} of the height and width of {view}, {batch[view].shape[1:3]}, "
                f"without channels. Received: {mask} of shape {batch[mask].shape}."
            )
        largest = tf.reduce_max(tf.cast(batch[mask], tf.int32))
        sentence = (
            f"{_MARK}Expected {mask} with values below {regions}, the number of regions, "
            "0 = background; divide masks of 0 and 255 by 255. Received:"
        )
        checks.append(tf.debugging.Assert(largest < regions, [sentence, largest]))
    with tf.control_dependencies(checks):
        return {key: tf.identity(value) for key, value in batch.items()}


def check_replicas(x: Any, replicas: int, workers: int = 1) -> None:
    """Checks that replicas can share the batches of a stream evenly.

    Args:
        x: A ``PairedViews`` or a data set; anything else passes.
        replicas: Number of replicas.
        workers: Number of workers the replicas belong to. Several workers each read the stream
            independently, and only a ``PairedViews`` can give each its own part. Default: 1.

    Raises:
        ValueError: If they cannot, or if ``x`` is a plain data set and there are several workers,
            which would all train on the same rows.

    Example:
        >>> check_replicas(tf.data.Dataset.range(4).batch(2), replicas=2)
    """
    if workers > 1 and isinstance(x, tf.data.Dataset):
        raise ValueError(
            f"Expected harl_tf.data.PairedViews in fit under {workers} workers, which gives each "
            "its own rows of a batch; with a plain data set all would train on the same rows. "
            f"Received: {type(x).__name__}."
        )
    spec = getattr(x, "element_spec", None)
    size = spec["view1"].shape[0] if isinstance(spec, Mapping) and "view1" in spec else None
    if isinstance(x, PairedViews):
        size = x.batch_size
    if size is not None and size % replicas:
        raise ValueError(
            f"Expected a batch_size that {replicas} replicas share evenly, such as "
            f"{size - size % replicas or replicas}. Received: batch_size={size}."
        )


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turns a check that fails inside a running step into a one-sentence ``ValueError``.

    Example:
        >>> with plain_errors():
        ...     pass
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if _MARK not in error.message:
            raise
        # "... Received:] [255]" in a graph, "... Received:'\n255" eagerly. With several replicas,
        # each may report its own error; the first is enough.
        sentence = error.message.split(_MARK, 1)[1]
        raise ValueError(re.sub(r"(?s)Received:\D*(\d+).*", r"Received: \1.", sentence)) from None
