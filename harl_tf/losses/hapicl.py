"""HAPiCL's pixel-level contrastive loss between the feature-map cells of two views.

Owns the formula; the cell labels come from ``harl_tf.losses.cell_labels``, the embeddings from the
models. The variants of the released HAPiCLR code are in ``harl_tf.losses.hapicl_pooled``.
"""

from typing import NamedTuple

import tensorflow as tf

from harl_tf import distribution
from harl_tf.losses.example_losses import ExampleLosses
from harl_tf.losses.normalize import l2_normalize
from harl_tf.losses.temperature import check_temperature


class Prototypes(NamedTuple):
    """Mean foreground keys of the images on all replicas; negatives for other images' foreground.

    Attributes:
        vectors: ``(images, dimensions)``; constants.
        is_negative: ``(batch, images)`` bool, which prototypes are negatives for each local image.
    """

    vectors: tf.Tensor
    is_negative: tf.Tensor


def pixel_contrast(
    queries: tf.Tensor,
    keys: tf.Tensor,
    query_regions: tf.Tensor,
    key_regions: tf.Tensor,
    query_valid: tf.Tensor | None = None,
    key_valid: tf.Tensor | None = None,
    temperature: float = 0.2,
    foreground_weight: float | tf.Tensor = 0.5,
    regions: int = 2,
    near: tf.Tensor | None = None,
    prototypes: Prototypes | None = None,
) -> ExampleLosses:
    """Contrasts every cell of one view with the cells of the other view of the same image.

    A cell's positives P are the other view's cells of the same region, its negatives Q those of
    other regions: ``l_i = log Σ_{P∪Q} exp(s_ij / τ) - log Σ_P exp(s_ij / τ)``. This is the loss of
    HAPiCLR (The Visual Computer, 2024; the released code's ``pixel_level_contrastive``), normalized
    per cell instead of per image, so that easy cells cannot mask hard ones. Cell losses are
    averaged within each region, regions are weighted, and the weights are renormalized over the
    regions present, so an image without foreground counts neither as perfect nor as failed.

    On its own, this loss is minimized by one foreground and one background vector for the whole
    data set: combine it with an instance-level loss or with prototypes.

    Args:
        queries: ``(batch, cells, dimensions)``, one view's cells; need not be normalized.
        keys: ``(batch, key_cells, dimensions)``, the other view's.
        query_regions: ``(batch, cells)`` int below ``regions``, 0 = background.
        key_regions: ``(batch, key_cells)`` int, likewise.
        query_valid: Optional ``(batch, cells)`` bool; cells marked False are left out. Default: all
            cells are valid.
        key_valid: Optional ``(batch, key_cells)`` bool, likewise.
        temperature: Positive, the paper's τ. Default: 0.2.
        foreground_weight: Within [0, 1], the weight of the foreground cells' mean loss; the
            background gets the rest. Several foreground regions share it equally. The paper's α.
            Default: 0.5.
        regions: Number of regions, the background included. Default: 2.
        near: Optional ``(batch, cells, key_cells)`` bool. Positives must be near; cells of the same
            region that are not near are neither positives nor negatives. Default: all are near.
        prototypes: Optional additional negatives for the foreground cells. Default: none.

    Returns:
        One value per image; an image counts if at least one of its cells has both a positive and a
        negative.

    Raises:
        ValueError: If ``temperature`` or ``foreground_weight`` is out of range.

    Example:
        Two cells of each region, all alike: each cell picks the right half by chance, which costs
        log 2.

        >>> halves = tf.constant([[0, 0, 1, 1]])
        >>> result = pixel_contrast(tf.ones((1, 4, 8)), tf.ones((1, 4, 8)), halves, halves)
        >>> float(tf.exp(result.values)[0]), bool(result.counted[0])
        (2.0..., True)
    """
    check_temperature(temperature)
    if isinstance(foreground_weight, int | float) and not 0 <= foreground_weight <= 1:
        raise ValueError(
            "Expected foreground_weight within [0, 1]. "
            f"Received: foreground_weight={foreground_weight}."
        )
    query_valid = tf.ones_like(query_regions, tf.bool) if query_valid is None else query_valid
    key_valid = tf.ones_like(key_regions, tf.bool) if key_valid is None else key_valid
    queries = l2_normalize(queries)
    logits = tf.matmul(queries, l2_normalize(keys), transpose_b=True) / temperature
    same_region = tf.equal(query_regions[:, :, None], key_regions[:, None, :])
    both_valid = query_valid[:, :, None] & key_valid[:, None, :]
    positives = both_valid & same_region
    if near is not None:
        positives &= near
    negatives = both_valid & ~same_region
    candidates = positives | negatives
    if prototypes is not None:
        further, used = _to_prototypes(queries, query_valid & (query_regions > 0), prototypes)
        logits = tf.concat([logits, further / temperature], axis=-1)
        positives = tf.concat([positives, tf.zeros_like(used)], axis=-1)
        negatives = tf.concat([negatives, used], axis=-1)
        candidates = tf.concat([candidates, used], axis=-1)
    counted = tf.reduce_any(positives, axis=-1) & tf.reduce_any(negatives, axis=-1)
    loss = _masked_logsumexp(logits, candidates) - _masked_logsumexp(logits, positives)
    loss = tf.where(counted, loss, 0.0)
    members = tf.one_hot(query_regions, regions, on_value=True, off_value=False)
    return _mean_of_regions(loss, members & counted[..., None], foreground_weight)


def foreground_prototypes(
    keys: tf.Tensor, key_regions: tf.Tensor, key_valid: tf.Tensor | None = None
) -> Prototypes:
    """The normalized mean foreground key of every image of the global batch.

    Background means are not used: the sky of one photograph is not a negative for the sky of
        another.

    Args:
        keys: ``(batch, cells, dimensions)``; need not be normalized.
        key_regions: ``(batch, cells)`` int, 0 = background.
        key_valid: Optional ``(batch, cells)`` bool. Default: all cells are valid.

    Returns:
        ``Prototypes`` for ``pixel_contrast``: an image's negatives are the prototypes of the other
        images that have any foreground.

    Example:
        >>> keys, ids = tf.ones((2, 3, 4)), tf.constant([[0, 1, 1], [0, 0, 0]])
        >>> foreground_prototypes(keys, ids).is_negative.numpy().tolist()
        [[False, False], [True, False]]
    """
    is_foreground = key_regions > 0
    if key_valid is not None:
        is_foreground &= key_valid
    unit = l2_normalize(keys)
    mean = tf.einsum("bn,bnd->bd", tf.cast(is_foreground, unit.dtype), unit)
    vectors = distribution.gather_rows(tf.stop_gradient(l2_normalize(mean)))
    exists = tf.cast(tf.reduce_any(is_foreground, axis=-1), tf.int32)
    exists = distribution.gather_rows(exists) > 0
    batch = tf.shape(keys)[0]
    own = tf.range(batch) + distribution.first_row_index(batch)
    is_other = tf.not_equal(own[:, None], tf.range(tf.shape(vectors)[0]))
    return Prototypes(vectors, exists & is_other)


def _to_prototypes(
    queries: tf.Tensor, is_anchor: tf.Tensor, prototypes: Prototypes
) -> tuple[tf.Tensor, tf.Tensor]:
    """Similarities (B, N, P) between cells and prototypes, and which of them count."""
    vectors = tf.stop_gradient(l2_normalize(prototypes.vectors))
    used = is_anchor[:, :, None] & prototypes.is_negative[:, None, :]
    return tf.einsum("bnd,pd->bnp", queries, vectors), used


def _masked_logsumexp(logits: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Logsumexp over the last axis where ``mask``; if none, finite with zero gradient."""
    return tf.reduce_logsumexp(tf.where(mask, logits, logits.dtype.min / 2), axis=-1)


def _mean_of_regions(
    loss: tf.Tensor, members: tf.Tensor, foreground_weight: float | tf.Tensor
) -> ExampleLosses:
    """Mean over each region's cells (B, N, R), then the weighted mean over the regions present."""
    members = tf.cast(members, loss.dtype)
    foreground_weight = tf.cast(foreground_weight, loss.dtype)
    sizes = tf.reduce_sum(members, axis=1)
    means = tf.reduce_sum(loss[..., None] * members, axis=1) / tf.maximum(sizes, 1.0)
    present = tf.cast(sizes > 0, loss.dtype)
    foregrounds = tf.reduce_sum(present[:, 1:], axis=-1, keepdims=True)
    of_foreground = present[:, 1:] * foreground_weight / tf.maximum(foregrounds, 1.0)
    weights = tf.concat([present[:, :1] * (1.0 - foreground_weight), of_foreground], axis=-1)
    total = tf.reduce_sum(weights, axis=-1)
    counted = total > 0
    mean = tf.reduce_sum(weights * means, axis=-1) / tf.where(counted, total, 1.0)
    return ExampleLosses(mean, counted)
