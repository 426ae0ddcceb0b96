"""What a branch returns, and how the engine makes means over the global batch of it.

Owns the one place where a loss is averaged. A branch says what every image costs and which images
count; that there are replicas, each with its share of the batch, is known here alone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from harl_tf import distribution, metrics


class LossTerm(NamedTuple):
    """A part of a branch's loss.

    Attributes:
        values: ``(batch,)``, the loss of every image of this replica; not their mean.
        counted: ``(batch,)`` bool; images that are False are left out of the mean over the global
            batch. Default: all count.
        weight: What the mean is multiplied by, a number or a scalar tensor. Default: 1.
        name: Reported as ``loss_<name>``, before the weight. Default: not reported by itself.

    Example:
        >>> LossTerm(tf.ones(4), weight=0.5).name is None
        True
    """

    values: tf.Tensor
    counted: tf.Tensor | None = None
    weight: float | tf.Tensor = 1.0
    name: str | None = None


class BranchOutput(NamedTuple):
    """What a branch says of a batch.

    Attributes:
        terms: Its loss, or the parts that are added up to it.
        metrics: Further values to report, by name: ``(batch,)``, one an image, of which the engine
            reports the mean over the global batch; or scalars, of which it reports the mean over
            the replicas. Default: none.
        carry: What ``Branch.after_step`` needs, by name: tensors ``(batch, ...)`` with a row an
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
"""The names of what ``embedding_metrics`` returns."""


def embedding_metrics(embeddings1: tf.Tensor, embeddings2: tf.Tensor) -> dict[str, tf.Tensor]:
    """Collapse, alignment, uniformity and accuracy of the embeddings of two views.

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
    """A branch's loss and what it reports, as this replica's shares of means.

    Args:
        branch: The branch's name, for errors.
        output: What it returned.
        metric_names: What it promised to report.
        rows: Images on this replica, if that is known.

    Returns:
        The loss, and a scalar for each of ``metric_names``. Summed over the replicas they are means
        over the global batch.

    Raises:
        ValueError: If a term has not one value an image, or other metrics were promised.

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
        mean = distribution.share_of_global_mean(term.values, term.counted)
        weighted.append(tf.cast(term.weight, mean.dtype) * mean)
        if term.name is not None:
            reported[f"loss_{term.name}"] = mean
    if set(reported) != set(metric_names):
        raise ValueError(
            f"Expected the branch {branch!r} to report what its metric_names say, "
            f"{sorted(metric_names)}. Received: {sorted(reported)}."
        )
    return tf.add_n(weighted), reported


def _share(value: tf.Tensor) -> tf.Tensor:
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
                f"the branch {branch!r}; the mean over the global batch is formed by the engine. "
                f"Received: shape {tuple(tensor.shape)}."
            )
