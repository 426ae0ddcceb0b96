"""Which cells of a feature map take part in a loss: all, or a sample from each region."""

from typing import NamedTuple

import tensorflow as tf

from harl_tf.losses import CellLabels


class Cells(NamedTuple):
    """Cells that take part in a loss.

    Attributes:
        regions: ``(batch, cells)`` int32.
        valid: ``(batch, cells)`` bool; cells marked False are padding.
        places: ``(batch, cells)`` int32, their indices in the map; None for all, in order.
    """

    regions: tf.Tensor
    valid: tf.Tensor
    places: tf.Tensor | None = None


def all_cells(labels: CellLabels) -> Cells:
    """Every cell of the map.

    Example:
        >>> labels = harl_tf.losses.cell_labels(tf.constant([[[1, 0]]]), (1, 2))
        >>> all_cells(labels).regions.numpy().tolist()
        [[1, 0]]
    """
    return Cells(labels.regions, labels.valid)


def sample_cells(labels: CellLabels, per_region: int, noise: tf.Tensor) -> Cells:
    """Draws the same number of cells from each region, without replacement.

    If a region has fewer cells, all of them are drawn and the remaining slots are not valid. The
    shape does not depend on the masks, so the pixel head and the loss cost the same for every batch
    and any grid.

    Args:
        labels: Labels of the cells of a map.
        per_region: Cells to draw from each region.
        noise: ``(batch, cells)`` uniform in (0, 1), see ``example_noise``.

    Returns:
        ``Cells`` with ``regions * per_region`` slots, region after region.

    Raises:
        ValueError: If the map has fewer than ``per_region`` cells.

    Example:
        >>> labels = harl_tf.losses.cell_labels(tf.constant([[[1, 1, 0]]]), (1, 3))
        >>> drawn = sample_cells(labels, 2, tf.constant([[0.1, 0.9, 0.5]]))
        >>> drawn.places.numpy()[drawn.valid].tolist()
        [2, 1, 0]
    """
    cells = labels.regions.shape[1]
    if not 1 <= per_region <= cells:
        raise ValueError(
            f"Expected cells_per_region within [1, {cells}], the cells of the feature map. "
            f"Received: cells_per_region={per_region}."
        )
    members = tf.transpose(labels.members, (0, 2, 1))
    priority = tf.where(members > 0, noise[:, None], -1.0)
    chosen = tf.math.top_k(priority, per_region)
    regions = labels.shares.shape[-1]
    slots = (-1, regions * per_region)
    number = tf.repeat(tf.range(regions), per_region)[None]
    return Cells(
        regions=tf.tile(number, (tf.shape(noise)[0], 1)),
        valid=tf.reshape(chosen.values > 0, slots),
        places=tf.reshape(chosen.indices, slots),
    )


def take(features: tf.Tensor, cells: Cells) -> tf.Tensor:
    """The features of the cells that take part.

    Args:
        features: ``(batch, all cells, channels)``.
        cells: Which of them.

    Returns:
        ``(batch, cells, channels)``.

    Example:
        >>> cells = Cells(tf.zeros((1, 1), tf.int32), tf.ones((1, 1), tf.bool), tf.constant([[1]]))
        >>> take(tf.constant([[[5.0], [7.0]]]), cells).numpy().tolist()
        [[[7.0]]]
    """
    return features if cells.places is None else tf.gather(features, cells.places, batch_dims=1)


def take_pairs(pairs: tf.Tensor, first: Cells, second: Cells) -> tf.Tensor:
    """The entries of ``(batch, all cells, all cells)`` for pairs of cells that take part.

    Example:
        >>> every = Cells(tf.zeros((1, 2), tf.int32), tf.ones((1, 2), tf.bool))
        >>> take_pairs(tf.zeros((1, 2, 2)), every, every).shape.as_list()
        [1, 2, 2]
    """
    pairs = take(pairs, first)
    return pairs if second.places is None else tf.gather(pairs, second.places, axis=2, batch_dims=1)
