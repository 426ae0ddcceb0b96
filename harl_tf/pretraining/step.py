"""The arithmetic of a training step: splitting a batch, gradients, accumulation, clipping.

Owns no loss and no variable; ``harl_tf.pretraining.Pretraining.train_step`` puts the pieces
together.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from harl_tf import distribution

Terms = dict[str, tf.Tensor]
Gradients = list[tf.Tensor | None]
Carry = dict[str, dict[str, tf.Tensor]]


class Part(NamedTuple):
    """The results of one part of a batch.

    Attributes:
        terms: Loss terms by name, this replica's shares.
        gradients: Gradient of the loss for each variable; None if the loss does not depend on it.
        carry: What each branch, by name, carries to its ``after_step``.
    """

    terms: Terms
    gradients: Gradients
    carry: Carry


def check_settings(
    optimizer: Any,
    accumulation_steps: int,
    global_clip_norm: float | None,
    jit_compile: bool | str = False,
) -> None:
    """Refuses settings that would not have their documented effect.

    Raises:
        ValueError: If a number is out of range, the optimizer is to accumulate gradients, or there
            are several replicas and XLA is to compile the step or the optimizer is to clip
            gradients, which Keras optimizers do on each replica separately.

    Example:
        >>> check_settings("sgd", accumulation_steps=1, global_clip_norm=None)
    """
    if not isinstance(accumulation_steps, int) or accumulation_steps < 1:
        raise ValueError(
            "Expected accumulation_steps as a number ≥ 1. "
            f"Received: accumulation_steps={accumulation_steps!r}."
        )
    if global_clip_norm is not None and global_clip_norm <= 0:
        raise ValueError(
            f"Expected global_clip_norm > 0. Received: global_clip_norm={global_clip_norm}."
        )
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if parts := getattr(inner, "gradient_accumulation_steps", None):
        raise ValueError(
            "Expected an optimizer without gradient_accumulation_steps, with which schedules, "
            "targets and queues would count the parts of a batch; use compile(..., "
            f"accumulation_steps={parts}) and a batch {parts} times as large. "
            f"Received: gradient_accumulation_steps={parts}."
        )
    if distribution.replica_count() == 1:
        return
    if jit_compile is True:
        raise ValueError(
            "Expected jit_compile=False on several replicas, because XLA cannot compile the "
            "communication between them. Received: jit_compile=True."
        )
    for argument in ("global_clipnorm", "clipnorm", "clipvalue"):
        value = getattr(inner, argument, None)
        if value:
            raise ValueError(
                f"Expected an optimizer without {argument} on several replicas, where Keras would "
                "apply it on each replica separately; use compile(..., global_clip_norm=...). "
                f"Received: {argument}={value}."
            )


def split(batch: Mapping[str, tf.Tensor], parts: int) -> list[Mapping[str, tf.Tensor]]:
    """Splits a batch into equal parts of consecutive examples.

    Raises:
        ValueError: If the examples cannot be split evenly.

    Example:
        >>> [part["x"].numpy().tolist() for part in split({"x": tf.range(4)}, 2)]
        [[0, 1], [2, 3]]
    """
    if parts == 1:
        return [batch]
    rows = {key: value.shape[0] for key, value in batch.items()}
    uneven = [count for count in rows.values() if count is not None and count % parts]
    if uneven:
        raise ValueError(
            f"Expected a batch per replica that accumulation_steps={parts} divides. "
            f"Received: {uneven[0]} examples on a replica."
        )
    pieces = {key: tf.split(value, parts) for key, value in batch.items()}
    return [{key: pieces[key][part] for key in pieces} for part in range(parts)]


def loss_and_gradients(
    model: Any, batch: Mapping[str, tf.Tensor], variables: Sequence[keras.Variable]
) -> Part:
    """Results of one part of a batch; gradients are multiplied by the optimizer's loss scale."""
    view1, view2 = model.augment(batch)
    with tf.GradientTape() as tape:
        terms, carry = model.forward_pass(view1, view2, training=True)
        loss = terms["loss"]
        if model.losses:  # regularizers of the user's own layers, the same on every replica
            loss += tf.cast(tf.add_n(model.losses) / distribution.replica_count(), loss.dtype)
        scaled = model.optimizer.scale_loss(loss)
    # Of embeddings they are sparse, which neither adds up nor is clipped.
    gradients = [
        None if each is None else tf.convert_to_tensor(each)
        for each in tape.gradient(scaled, variables)
    ]
    return Part(terms, gradients, carry)


def merge(parts: Sequence[Part]) -> Part:
    """Merges the parts of a batch: averages terms and gradients, concatenates ``carry``.

    Example:
        >>> first = Part({"loss": 1.0}, [4.0], {"queue": {"keys": tf.zeros((2, 3))}})
        >>> second = Part({"loss": 3.0}, [0.0], {"queue": {"keys": tf.ones((2, 3))}})
        >>> terms, gradients, carry = merge([first, second])
        >>> terms["loss"], gradients, carry["queue"]["keys"].shape.as_list()
        (2.0, [2.0], [4, 3])
    """
    if len(parts) == 1:
        return parts[0]
    count = len(parts)
    terms = {name: sum(part.terms[name] for part in parts) / count for name in parts[0].terms}
    together = zip(*(part.gradients for part in parts), strict=True)
    gradients = [None if each[0] is None else sum(each) / count for each in together]
    carry = tf.nest.map_structure(lambda *rows: tf.concat(rows, 0), *(part.carry for part in parts))
    return Part(terms, gradients, carry)


def skipped_together(gradients: Gradients) -> Gradients:
    """Gradients that are NaN on every replica if they are not finite on one.

    Keras's loss-scale optimizer looks at the first replica's only: the others' would be applied,
    and several workers would not agree on whether there is an update.

    Args:
        gradients: This replica's shares.

    Example:
        >>> skipped_together([tf.constant([1.0, 2.0])])[0].numpy().tolist()
        [1.0, 2.0]
    """
    if distribution.replica_count() == 1:
        return gradients
    finite = [tf.reduce_all(tf.math.is_finite(each)) for each in gradients if each is not None]
    overflows = tf.cast(tf.logical_not(tf.reduce_all(finite)), tf.float32)
    anywhere = distribution.sum_over_replicas(overflows) > 0
    return [
        None if each is None else tf.where(anywhere, tf.cast(float("nan"), each.dtype), each)
        for each in gradients
    ]


def clip(gradients: Gradients, norm: float, optimizer: Any) -> Gradients:
    """Clips the gradient of the global batch to a norm.

    Args:
        gradients: This replica's shares of the gradient, multiplied by the optimizer's loss scale.
        norm: Largest norm over all variables.
        optimizer: The optimizer, for its loss scale.

    Returns:
        Shares of the clipped gradient. A non-finite gradient stays non-finite, so that the
        loss-scale optimizer of mixed_float16 skips it.

    Example:
        >>> clip([tf.constant([3.0, 4.0])], 1.0, keras.optimizers.SGD())[0].numpy().tolist()
        [0.600..., 0.800...]
    """
    whole = [distribution.sum_over_replicas(each) for each in gradients if each is not None]
    scale = tf.cast(optimizer.scale_loss(tf.constant(1.0)), whole[0].dtype)
    found = tf.linalg.global_norm(whole) / scale
    factor = norm / tf.maximum(found, norm)
    return [None if each is None else each * tf.cast(factor, each.dtype) for each in gradients]
