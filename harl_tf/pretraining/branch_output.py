"""What a branch returns, and how the engine turns it into means over the global batch.

Owns the single place where a loss is averaged. A branch returns the loss of every image and which
images count; only this module knows that the batch is spread over replicas.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from harl_tf import distribution, metrics


class LossTerm(NamedTuple):
    """A part of a branch's loss.

    Attributes:
        values: ``(batch,)``, the loss of every image of this replica; not their mean.
        counted: ``(batch,)`` bool; images marked False are left out of the mean over the global
            batch. Default: all count.
        weight: Factor of the mean, a number or a scalar tensor. Default: 1.
        name: The mean is reported as ``loss_<name>``, before weighting. Default: not reported
            separately.

    Example:
        >>> LossTerm(tf.ones(4), weight=0.5).name is None
        True
    """

    values: tf.Tensor
    counted: tf.Tensor | None = None
    weight: float | tf.Tensor = 1.0
    name: str | None = None


class BranchOutput(NamedTuple):
    """What a branch returns for a batch.

    Attributes:
        terms: The loss, or the terms that add up to it.
        metrics: Further values to report, by name. For per-image values, ``(batch,)``, the engine
            reports the mean over the global batch; for scalars, the mean over the replicas.
            Default: none.
        carry: What ``Branch.after_step`` needs, by name: tensors ``(batch, ...)`` with one row per
            image. Default: nothing.

    Example:
        >>> output = BranchOutput(LossTerm(tf.constant([1.0, 3.0])))
        >>> loss, reported = means("instance", output, metric_names=())
        >>> float(loss)
        2.0
    """

    terms: LossTerm | Sequence[LossTerm]
    metrics: Mapping[str, tf.Tensor] = {}
    carry: Mapping[str, tf.Tensor] = {}


EMBEDDING_METRICS = ("embedding_std", "alignment", "uniformity", "contrastive_accuracy")
"""Names of the metrics that ``embedding_metrics`` returns."""


def embedding_metrics(embeddings1: tf.Tensor, embeddings2: tf.Tensor) -> dict[str, tf.Tensor]:
    """Spread, alignment, uniformity and contrastive accuracy of the embeddings of two views.

    Args:
        embeddings1: ``(batch, dimensions)``, first views.
        embeddings2: ``(batch, dimensions)``, second views of the same images.

    Returns:
        A value for each of ``EMBEDDING_METRICS``, for ``BranchOutput.metrics``.

    Example:
        >>> sorted(embedding_metrics(tf.eye(4), tf.eye(4)))
        ['alignment', 'contrastive_accuracy', 'embedding_std', 'uniformity']
    """
    return {
        "embedding_std": metrics.embedding_std(embeddings1),
        "alignment": metrics.alignment(embeddings1, embeddings2),
        "uniformity": metrics.uniformity(embeddings1, embeddings2),
        "contrastive_accuracy": metrics.contrastive_accuracy(embeddings1, embeddings2),
    }


def means(
    branch: str, output: BranchOutput, metric_names: Sequence[str], rows: int | None = None
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """A branch's loss and metrics, as this replica's shares of global means.

    Args:
        branch: The branch's name, for errors.
        output: What it returned.
        metric_names: The metrics the branch declares.
        rows: Number of images on this replica, if known.

    Returns:
        The loss, and a scalar for each of ``metric_names``. Summed over the replicas, they are the
        means over the global batch.

    Raises:
        ValueError: If a term does not have one value per image, or the metrics are not those of
            ``metric_names``.

    Example:
        >>> means("instance", BranchOutput(LossTerm(tf.constant(2.0))), ())
        Traceback (most recent call last):
        ValueError: Expected the loss of every image, shape (batch,), of the branch 'instance'; ...
    """
    terms = [output.terms] if isinstance(output.terms, LossTerm) else list(output.terms)
    reported = {name: _share(value) for name, value in output.metrics.items()}
    weighted = []
    for term in terms:
        _check_values(branch, term, rows)
        mean = distribution.share_of_global_mean(_whole(term.values), term.counted)
        weighted.append(tf.cast(term.weight, mean.dtype) * mean)
        if term.name is not None:
            reported[f"loss_{term.name}"] = mean
    if set(reported) != set(metric_names):
        raise ValueError(
            f"Expected the branch {branch!r} to report what its metric_names say: "
            f"{sorted(metric_names)}. Received: {sorted(reported)}."
        )
    return tf.add_n(weighted), reported


def _whole(values: tf.Tensor) -> tf.Tensor:
    """In float32 if a branch computes in half of it, where a sum over a batch is lost."""
    return tf.cast(values, tf.float32) if values.dtype.size < tf.float32.size else values


def _share(value: tf.Tensor) -> tf.Tensor:
    value = _whole(value)
    if value.shape.rank == 0:
        return value / tf.cast(distribution.replica_count(), value.dtype)
    return distribution.share_of_global_mean(value)


def _check_values(branch: str, term: LossTerm, rows: int | None) -> None:
    for tensor, what in ((term.values, "the loss of"), (term.counted, "a bool for")):
        if tensor is None:
            continue
        known = tensor.shape[0] if tensor.shape.rank == 1 else None
        if tensor.shape.rank != 1 or (None not in (known, rows) and known != rows):
            raise ValueError(
                f"Expected {what} every image, shape ({'batch' if rows is None else rows},), of "
                f"the branch {branch!r}; the engine computes the mean over the global batch. "
                f"Received: shape {tuple(tensor.shape)}."
            )
