"""Cells and their regions, against the reference and by hand."""

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import cell_labels
from tests.reference import cell_labels_numpy as ref


@pytest.mark.parametrize("regions", [2, 4])
@pytest.mark.parametrize("margin", [0.0, 0.25, 0.5])
@pytest.mark.parametrize(
    ("size", "grid"), [((12, 12), (2, 3)), ((14, 10), (7, 5)), ((32, 32), (1, 1))]
)
def test_cell_labels_agree_with_the_reference(size, grid, margin, regions):
    """Shares are counts of pixels by the number of pixels, so float32 holds them to 1e-6."""
    masks = np.random.default_rng(0).integers(0, regions, (5, *size))
    labels = cell_labels(tf.constant(masks), grid, margin, regions)
    numbers, valid = ref.region_labels(masks, grid, regions, margin)
    np.testing.assert_allclose(labels.shares, ref.region_shares(masks, grid, regions), atol=1e-6)
    np.testing.assert_array_equal(labels.regions, numbers)
    np.testing.assert_array_equal(labels.valid, valid)


def test_cell_labels_of_equal_shares_are_the_last_of_them():
    """Three regions of a third each, which no float32 holds, and two of a half without the third.

    Cells need not be whole pixels: 5 rows by 3 columns on one row of two cells, so that each has a
    column and a half; the middle column, region 1, counts half in either.
    """
    thirds = tf.constant([[[0, 1, 2]]])
    assert cell_labels(thirds, (1, 1), regions=3).regions.numpy().tolist() == [[2]]
    halves = tf.constant([[[1, 0], [0, 1]]])
    assert cell_labels(halves, (1, 1), regions=3).regions.numpy().tolist() == [[1]]
    columns = tf.constant([[[0, 1, 2]] * 5])
    shares = cell_labels(columns, (1, 2), regions=3).shares.numpy()
    np.testing.assert_allclose(shares, [[[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]]], atol=1e-6)


def test_cell_labels_are_row_major():
    """A 4×6 mask on a 2×3 grid has cells of 2×2 pixels.

    Ones at (0,0) (0,1) (1,0) (1,1): cell 0 is 4/4. (0,2) (1,3): cell 1 is 2/4, the tie is
    foreground. (2,4): cell (1,2), index 1·3+2 = 5, is 1/4.
    """
    mask = np.zeros((1, 4, 6), np.uint8)
    for row, column in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (1, 3), (2, 4)]:
        mask[0, row, column] = 1
    labels = cell_labels(tf.constant(mask), (2, 3))
    assert labels.share.numpy().tolist() == [[1.0, 0.5, 0.0, 0.0, 0.0, 0.25]]
    assert labels.regions.numpy().tolist() == [[1, 1, 0, 0, 0, 0]]


def test_cell_labels_half_foreground_is_foreground_at_any_cell_size():
    """Exactly half of the pixels is foreground, however 1/pixels rounds in float32."""
    for height, width in [(2, 41), (5, 22), (6, 47), (32, 32), (25, 40)]:
        mask = np.zeros((height * width,), np.uint8)
        mask[: height * width // 2] = 1
        labels = cell_labels(tf.constant(mask.reshape(1, height, width)), (1, 1))
        assert labels.regions.numpy().item() == 1, (height, width)


def test_cell_labels_margin_keeps_cells_exactly_at_its_edge():
    """A share of one quarter is 0.25 from one half: not nearer than the margin, so valid."""
    for side in (6, 22, 46, 82):
        mask = np.zeros((side * side,), np.uint8)
        mask[: side * side // 4] = 1
        labels = cell_labels(tf.constant(mask.reshape(1, side, side)), (1, 1), 0.25)
        assert labels.valid.numpy().item(), side


def test_cell_labels_all_mixed_cells_none_valid():
    """A checkerboard has the share 1/2 everywhere, which any positive margin leaves out."""
    checkerboard = np.indices((8, 8)).sum(axis=0)[None] % 2
    labels = cell_labels(tf.constant(checkerboard), (2, 2), 0.01)
    assert not labels.valid.numpy().any()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float32", "float16"])
def test_cell_labels_any_mask_dtype(dtype):
    mask = tf.cast(tf.constant([[[1, 1, 0, 0], [1, 0, 0, 1]]]), dtype)
    labels = cell_labels(mask, (1, 2))
    assert labels.regions.numpy().tolist() == [[1, 0]]
    assert labels.share.numpy().tolist() == [[0.75, 0.25]]


def test_cell_labels_unknown_batch_in_a_graph():
    @tf.function(input_signature=[tf.TensorSpec((None, 4, 4), tf.uint8)])
    def regions(masks):
        return cell_labels(masks, (2, 2)).regions

    assert regions(np.ones((3, 4, 4), np.uint8)).shape == (3, 4)


@pytest.mark.parametrize("margin", [-0.1, 0.6])
def test_cell_labels_margin_out_of_range(margin):
    with pytest.raises(ValueError, match=r"Expected boundary_margin within \[0, 0.5\]. Received"):
        cell_labels(tf.zeros((1, 4, 4)), (2, 2), margin)


def test_cell_labels_mask_smaller_than_the_grid():
    with pytest.raises(ValueError, match="Expected masks at least as large as the feature map 3×3"):
        cell_labels(tf.zeros((1, 2, 4)), (3, 3))


@pytest.mark.parametrize("regions", [9, 10, 20, 33])
def test_many_regions_are_counted_a_few_at_a_time(regions):
    """Eight at a time, and the last ones fewer; regions without a pixel in any mask included."""
    masks = np.random.default_rng(0).integers(0, regions - 1, (3, 14, 10))
    labels = cell_labels(tf.constant(masks), (7, 5), 0.0, regions)
    assert labels.shares.shape == (3, 35, regions)
    expected = ref.region_shares(masks, (7, 5), regions)
    np.testing.assert_allclose(labels.shares, expected, atol=1e-6)
