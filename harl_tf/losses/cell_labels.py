"""From pixels to feature-map cells: which region a cell belongs to.

Owns the one convention of how a mask meets a feature map: the share of a cell's pixels that are
foreground. Point sampling would lose small objects, and counting any touched cell would triple
them.
"""

import dataclasses

import tensorflow as tf

# Less than one pixel's share of any cell, more than float32 loses in a share: exactly half stays
# half where 1/pixels is not a binary fraction.
_ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class CellLabels:
    """Regions of the cells of a feature map, cells in row-major order.

    Attributes:
        share: ``(batch, cells)`` float32 in [0, 1], the foreground's share of the cell.
        regions: ``(batch, cells)`` int32, 1 where at least half of the cell is foreground.
        valid: ``(batch, cells)`` bool, False for cells too mixed to belong to either region.
    """

    share: tf.Tensor
    regions: tf.Tensor
    valid: tf.Tensor


def cell_labels(
    masks: tf.Tensor, grid: tuple[int, int], boundary_margin: float = 0.0
) -> CellLabels:
    """Labels the cells of a feature map by their foreground share.

    Args:
        masks: ``(batch, height, width)`` of 0 and 1.
        grid: Height and width of the feature map, in cells.
        boundary_margin: Cells whose share is nearer than this to one half are not valid, within
            [0, 0.5]. 0 keeps all cells; 0.25 leaves out those between a quarter and three.
            Default: 0.

    Returns:
        ``CellLabels`` of ``grid[0] * grid[1]`` cells.

    Raises:
        ValueError: If ``boundary_margin`` is out of range or the mask is smaller than the grid.

    Example:
        >>> mask = tf.constant([[[1, 1, 0, 0], [1, 1, 0, 0]]])
        >>> cell_labels(mask, (1, 2)).regions.numpy().tolist()
        [[1, 0]]
    """
    if not 0 <= boundary_margin <= 0.5:
        raise ValueError(
            "Expected boundary_margin within [0, 0.5]. "
            f"Received: boundary_margin={boundary_margin}."
        )
    height, width = masks.shape[1], masks.shape[2]
    if height is not None and width is not None and (height < grid[0] or width < grid[1]):
        raise ValueError(
            f"Expected masks at least as large as the feature map {grid[0]}×{grid[1]}. "
            f"Received: masks of {height}×{width} pixels."
        )
    pixels = tf.cast(masks, tf.float32)[..., None]
    share = tf.image.resize(pixels, grid, method=tf.image.ResizeMethod.AREA)
    share = tf.reshape(share, (tf.shape(masks)[0], grid[0] * grid[1]))
    return CellLabels(
        share=share,
        regions=tf.cast(share >= 0.5 - _ROUNDING, tf.int32),
        valid=tf.abs(share - 0.5) >= boundary_margin - _ROUNDING,
    )
