"""Distances between the cells of two views, measured in the image both were cropped from."""

import tensorflow as tf


def cell_distance(
    windows1: tf.Tensor,
    windows2: tf.Tensor,
    grid1: tuple[int, int],
    grid2: tuple[int, int],
) -> tf.Tensor:
    """Distance between cell centers, in units of the larger view's cell diagonal.

    Xie et al., Propagate Yourself (2021), sec. 3.1: positions are normalized to [0, 1] along each
    axis of the image; cells closer than 0.7 are positives in that paper.

    Args:
        windows1: ``(batch, 7)`` int, the crop windows of the first views: top, left, height, width
            in pixels, 1 if mirrored left to right, height and width of the image.
        windows2: ``(batch, 7)`` int, the crop windows of the second views.
        grid1: Height and width of the first view's feature map, in cells.
        grid2: Height and width of the second view's feature map, in cells.

    Returns:
        ``(batch, cells1, cells2)`` float32, cells in row-major order.

    Example:
        A view of two cells and its mirror image:

        >>> window = tf.constant([[0, 0, 10, 20, 0, 10, 20]])
        >>> mirrored = tf.constant([[0, 0, 10, 20, 1, 10, 20]])
        >>> (cell_distance(window, mirrored, (1, 2), (1, 2)) < 0.1).numpy().tolist()
        [[[False, True], [True, False]]]
    """
    centers1, diagonal1 = _centers(tf.cast(windows1, tf.float32), grid1)
    centers2, diagonal2 = _centers(tf.cast(windows2, tf.float32), grid2)
    difference = centers1[:, :, None] - centers2[:, None]
    distance = tf.sqrt(tf.reduce_sum(tf.square(difference), axis=-1))
    return distance / tf.maximum(diagonal1, diagonal2)[:, None, None]


def _centers(windows: tf.Tensor, grid: tuple[int, int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Cell centers (B, N, 2) and diagonals (B,), as fractions of the image's sides."""
    top, left, height, width, mirrored, image_height, image_width = tf.unstack(windows, axis=-1)
    rows = (tf.range(grid[0], dtype=tf.float32) + 0.5) / grid[0]
    columns = (tf.range(grid[1], dtype=tf.float32) + 0.5) / grid[1]
    columns = tf.where(mirrored[:, None] > 0, 1.0 - columns, columns)
    y = (top[:, None] + height[:, None] * rows) / image_height[:, None]
    x = (left[:, None] + width[:, None] * columns) / image_width[:, None]
    y = tf.repeat(y, grid[1], axis=1)
    x = tf.tile(x, (1, grid[0]))
    cell_height, cell_width = height / image_height / grid[0], width / image_width / grid[1]
    return tf.stack([y, x], axis=-1), tf.sqrt(tf.square(cell_height) + tf.square(cell_width))
