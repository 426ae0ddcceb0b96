"""Errors that say what was expected: of a model, of a batch, of replicas that share batches."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from harl_tf.data import PairedViews

BATCH_KEYS = ("view1", "view2", "mask1", "mask2", "draws1", "draws2")
"""What every batch must hold."""

COLORED_KEYS = ("colored1", "colored2", "mask1", "mask2")
"""Or these, if the stream has changed the colours."""

_MARK = "harl_tf: "


def check_model(
    backbone: Any, regions: int, momentum: Any, augmentations: Sequence[keras.layers.Layer]
) -> None:
    """Checks what a model is made of.

    Raises:
        ValueError: If an argument is not as ``Pretraining`` says.

    Example:
        >>> check_model(resnet(18), 2, 0.99, [keras.layers.Identity()] * 2)
    """
    if not isinstance(getattr(backbone, "output", None), dict):
        raise ValueError(
            "Expected a backbone whose output is a dict of feature maps, as "
            "harl_tf.backbones.resnet(50) or feature_pyramid(network) there makes it. "
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
        regions: Number of regions that masks may hold.

    Returns:
        The batch; what is computed from it, an update of the weights say, waits for the check.

    Raises:
        ValueError: If a key is missing or a mask is not of its images' size. Mask values are
            checked when the batch is computed; ``plain_errors`` makes the same error of it.
    """
    keys = sorted(batch) if isinstance(batch, Mapping) else type(batch).__name__
    done = "colored1" in keys
    expected = (*(COLORED_KEYS if done else BATCH_KEYS), *dict.fromkeys(further))
    missing = [key for key in expected if key not in keys]
    if missing:
        raise ValueError(
            f"Expected a batch with the keys {', '.join(expected)}, as harl_tf.data.PairedViews "
            f"makes it. Missing: {', '.join(missing)}. Received: {keys}."
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
            f"{_MARK}Expected {mask} with values below {regions}, the regions of the method, "
            "0 = background; masks of 0 and 255 are to be divided by 255. Received:"
        )
        checks.append(tf.debugging.Assert(largest < regions, [sentence, largest]))
    with tf.control_dependencies(checks):
        return {key: tf.identity(value) for key, value in batch.items()}


def check_replicas(x: Any, replicas: int, workers: int = 1) -> None:
    """Checks that replicas can share the batches of a stream evenly, each its own rows.

    Args:
        x: A ``PairedViews`` or a data set; anything else passes.
        replicas: Number of replicas.
        workers: Number of workers they belong to. With several, each reads the stream by itself,
            and only a ``PairedViews`` can give each its part. Default: 1.

    Raises:
        ValueError: If they cannot, or if a plain data set, of which every worker would train on
            the same rows, is to be shared by several workers.

    Example:
        >>> check_replicas(tf.data.Dataset.range(4).batch(2), replicas=2)
    """
    if workers > 1 and isinstance(x, tf.data.Dataset):
        raise ValueError(
            f"Expected harl_tf.data.PairedViews in fit under {workers} workers, which gives each "
            "its own rows of a batch; of a plain data set all would train on the same rows. "
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
    """Turns the failed checks of a running step into a ``ValueError`` of one sentence.

    Example:
        >>> with plain_errors():
        ...     pass
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if _MARK not in error.message:
            raise
        # "... Received:] [255]" from a graph, "... Received:'\n255" without; of several replicas
        # each may have its own, and the first will do.
        sentence = error.message.split(_MARK, 1)[1]
        raise ValueError(re.sub(r"(?s)Received:\D*(\d+).*", r"Received: \1.", sentence)) from None
