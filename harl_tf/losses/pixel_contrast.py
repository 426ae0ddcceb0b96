"""HAPiCL's pixel-level contrastive loss between the cells of two views' feature maps.

Owns the formula; the cell labels come from ``harl_tf.losses.cell_labels``, the embeddings from the
models.
"""

import dataclasses

import tensorflow as tf

from harl_tf.losses.normalize import l2_normalize


@dataclasses.dataclass(frozen=True)
class PixelContrast:
    """What one direction of the loss is, image by image.

    Attributes:
        loss: ``(batch,)``; 0 where ``counted`` is False.
        counted: ``(batch,)`` bool, whether the image has any cell with both a positive and a
            negative. The others must be left out of the mean, not averaged in as zeros.
    """

    loss: tf.Tensor
    counted: tf.Tensor


def pixel_contrast(
    queries: tf.Tensor,
    keys: tf.Tensor,
    query_regions: tf.Tensor,
    key_regions: tf.Tensor,
    query_valid: tf.Tensor | None = None,
    key_valid: tf.Tensor | None = None,
    temperature: float = 0.2,
    foreground_weight: float = 0.5,
) -> PixelContrast:
    """Contrasts every cell of one view with the cells of the same image's other view.

    A cell's positives are the cells of its own region, its negatives those of the other region:
    ``l_i = log Σ_{P∪Q} exp(s_ij / τ) - log Σ_P exp(s_ij / τ)``. It is the loss of HAPiCLR (The
    Visual Computer, 2024; released code's ``pixel_level_contrastive``) normalised per cell instead
    of per image, so that easy cells cannot hide hard ones. Cells average within their region,
    regions are weighted, and the weights are renormalised over the regions that are present, so an
    image without foreground neither counts as perfect nor as failed.

    Alone, this loss is content with one foreground and one background vector for the whole data
    set: it needs an instance-level loss beside it.

    Args:
        queries: ``(batch, cells, dimensions)``, one view's cells; need not be normalised.
        keys: ``(batch, key_cells, dimensions)``, the other view's.
        query_regions: ``(batch, cells)`` int, 0 = background, 1 = foreground.
        key_regions: ``(batch, key_cells)`` int, likewise.
        query_valid: Optional ``(batch, cells)`` bool; cells that are False are left out. Default:
            all are in.
        key_valid: Optional ``(batch, key_cells)`` bool, likewise.
        temperature: Positive, the paper's τ. Default: 0.2.
        foreground_weight: Within [0, 1], the weight of the foreground cells' mean; the background
            has the rest. The paper's α. Default: 0.5.

    Returns:
        A ``PixelContrast`` with one value per image.

    Raises:
        ValueError: If ``temperature`` or ``foreground_weight`` is out of range.

    Example:
        Two cells of either region that all look the same: each finds its own half by chance,
        which costs log 2.

        >>> regions = tf.constant([[0, 0, 1, 1]])
        >>> result = pixel_contrast(tf.ones((1, 4, 8)), tf.ones((1, 4, 8)), regions, regions)
        >>> float(tf.exp(result.loss)[0]), bool(result.counted[0])
        (2.0..., True)
    """
    if temperature <= 0:
        raise ValueError(f"Expected temperature > 0. Received: temperature={temperature}.")
    if not 0 <= foreground_weight <= 1:
        raise ValueError(
            "Expected foreground_weight within [0, 1]. "
            f"Received: foreground_weight={foreground_weight}."
        )
    query_valid = tf.ones_like(query_regions, tf.bool) if query_valid is None else query_valid
    key_valid = tf.ones_like(key_regions, tf.bool) if key_valid is None else key_valid
    similarity = tf.matmul(l2_normalize(queries), l2_normalize(keys), transpose_b=True)
    logits = similarity / temperature

    same_region = tf.equal(query_regions[:, :, None], key_regions[:, None, :])
    candidates = query_valid[:, :, None] & key_valid[:, None, :]
    positives = candidates & same_region
    negatives = candidates & ~same_region
    cell_counted = tf.reduce_any(positives, axis=-1) & tf.reduce_any(negatives, axis=-1)
    cell_loss = _masked_logsumexp(logits, candidates) - _masked_logsumexp(logits, positives)
    cell_loss = tf.where(cell_counted, cell_loss, 0.0)

    regions = tf.stack([query_regions == 0, query_regions == 1], axis=-1)
    weights = tf.constant([1.0 - foreground_weight, foreground_weight], logits.dtype)
    return _weighted_region_means(cell_loss, regions & cell_counted[..., None], weights)


def _masked_logsumexp(logits: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Logsumexp over the last axis where ``mask``; where it is empty, finite with zero gradient."""
    return tf.reduce_logsumexp(tf.where(mask, logits, logits.dtype.min / 2), axis=-1)


def _weighted_region_means(
    cell_loss: tf.Tensor, members: tf.Tensor, weights: tf.Tensor
) -> PixelContrast:
    """Mean over each region's cells (B, N, R), then the weighted mean over regions present."""
    members = tf.cast(members, cell_loss.dtype)
    sizes = tf.reduce_sum(members, axis=1)
    means = tf.reduce_sum(cell_loss[..., None] * members, axis=1) / tf.maximum(sizes, 1.0)
    present = tf.where(sizes > 0, weights, 0.0)
    total = tf.reduce_sum(present, axis=-1)
    counted = total > 0
    loss = tf.reduce_sum(present * means, axis=-1) / tf.where(counted, total, 1.0)
    return PixelContrast(loss=loss, counted=counted)
