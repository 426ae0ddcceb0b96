"""From pixels to feature-map cells: which region a cell belongs to.

Owns the single convention for projecting a mask onto a feature map: a region's share of a cell is
the fraction of the cell's pixels that belong to it. Point sampling would lose small objects, and
counting every cell an object touches would triple their size.
"""

import dataclasses

import tensorflow as tf

# Smaller than one pixel's share of any cell, larger than the float32 rounding error of a share:
# exactly one half stays one half where 1/pixels is not a binary fraction, and rounding alone never
# creates a region.
_ROUNDING = 1e-6

_AT_ONCE = 8
"""Regions whose pixels are in memory at once."""


@dataclasses.dataclass(frozen=True)
class CellLabels:
    """The region of each cell of a feature map, cells in row-major order.

    Attributes:
        shares: ``(batch, cells, regions)`` float32 in [0, 1], each region's share of the cell.
        regions: ``(batch, cells)`` int32, the region with the largest share. Ties go to the highest
            region number, so a cell that is half foreground is foreground.
        valid: ``(batch, cells)`` bool, False for cells too mixed to belong to any region.
    """

    shares: tf.Tensor
    regions: tf.Tensor
    valid: tf.Tensor

    @property
    def share(self) -> tf.Tensor:
        """``(batch, cells)`` float32, the share of the cell that is not background."""
        return tf.reduce_sum(self.shares[..., 1:], axis=-1)

    @property
    def members(self) -> tf.Tensor:
        """``(batch, cells, regions)`` float32, 1 for the region a valid cell belongs to."""
        one_hot = tf.one_hot(self.regions, self.shares.shape[-1])
        return one_hot * tf.cast(self.valid, one_hot.dtype)[..., None]


def cell_labels(
    masks: tf.Tensor, grid: tuple[int, int], boundary_margin: float = 0.0, regions: int = 2
) -> CellLabels:
    """Assigns each cell of a feature map to the region with the largest share of it.

    Args:
        masks: ``(batch, height, width)`` of region numbers below ``regions``; 0 is the background.
        grid: Height and width of the feature map, in cells.
        boundary_margin: Half the smallest difference between a cell's two largest shares for the
            cell to be valid, within [0, 0.5]. With two regions, this is the larger share's smallest
            distance from one half: 0 keeps all cells; 0.25 drops those with between one and three
            quarters of foreground. Default: 0.
        regions: Number of regions, the background included, at least 2. Default: 2, a binary mask.

    Returns:
        ``CellLabels`` of ``grid[0] * grid[1]`` cells.

    Raises:
        ValueError: If an argument is out of range or the mask is smaller than the grid.

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
    if regions < 2:
        raise ValueError(f"Expected regions ≥ 2. Received: regions={regions}.")
    height, width = masks.shape[1], masks.shape[2]
    if height is not None and width is not None and (height < grid[0] or width < grid[1]):
        raise ValueError(
            f"Expected masks at least as large as the feature map {grid[0]}×{grid[1]}. "
            f"Received: masks of {height}×{width} pixels."
        )
    shares = _shares(masks, grid, regions)
    largest = tf.math.top_k(shares, 2).values
    is_largest = shares >= largest[..., :1] - 2 * _ROUNDING
    number = tf.where(is_largest, tf.range(regions), -1)
    return CellLabels(
        shares=shares,
        regions=tf.reduce_max(number, axis=-1),
        valid=largest[..., 0] - largest[..., 1] >= 2 * (boundary_margin - _ROUNDING),
    )


def _shares(masks: tf.Tensor, grid: tuple[int, int], regions: int) -> tf.Tensor:
    rows, columns = _overlaps(tf.shape(masks)[1], grid[0]), _overlaps(tf.shape(masks)[2], grid[1])
    masks = tf.cast(masks, tf.int32)

    def counted(numbers: tf.Tensor) -> tf.Tensor:
        """Pixels of some regions in every cell, ``(numbers, batch, rows, columns)``."""
        pixels = tf.cast(tf.equal(masks, numbers[:, None, None, None]), tf.float64)
        return tf.matmul(tf.matmul(rows, pixels), columns, transpose_b=True)

    if regions - 1 <= _AT_ONCE:
        counts = counted(tf.range(1, regions))
    else:  # a few at a time: the pixels of hundreds of regions would take gigabytes
        turns = -(-(regions - 1) // _AT_ONCE)
        numbers = tf.reshape(tf.range(1, turns * _AT_ONCE + 1), (turns, _AT_ONCE))
        found = tf.map_fn(counted, numbers, fn_output_signature=tf.float64, parallel_iterations=1)
        counts = tf.reshape(found, (-1, tf.shape(masks)[0], *grid))[: regions - 1]
    counts = tf.transpose(counts, (1, 0, 2, 3))
    shares = counts / (tf.reduce_sum(rows[0]) * tf.reduce_sum(columns[0]))
    shares = tf.reshape(shares, (tf.shape(masks)[0], regions - 1, grid[0] * grid[1]))
    shares = tf.cast(tf.linalg.matrix_transpose(shares), tf.float32)
    shares = tf.where(shares < _ROUNDING, 0.0, tf.where(shares > 1 - _ROUNDING, 1.0, shares))
    background = 1.0 - tf.reduce_sum(shares, axis=-1, keepdims=True)
    background = tf.where(background < _ROUNDING, 0.0, background)
    return tf.concat([background, shares], axis=-1)


def _overlaps(pixels: tf.Tensor, cells: int) -> tf.Tensor:
    """``(cells, pixels)``, the fraction of each pixel that lies in each cell along one axis.

    Shares are matrix products because, unlike an area resize, those run on GPUs and under XLA. They
    are float64 because GPUs by default keep only ten mantissa bits of float32 in a product.
    """
    size = tf.cast(pixels, tf.float64)
    ends = tf.range(cells + 1, dtype=tf.float64)[:, None] * (size / cells)
    starts = tf.range(size)
    return tf.maximum(tf.minimum(ends[1:], starts + 1.0) - tf.maximum(ends[:-1], starts), 0.0)
