"""The metrics of views, image by image, counted by hand."""

import numpy as np

from harl_tf.metrics import foreground_share, lost_region_share

FIRST = np.array([[[0, 0], [0, 1]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]], "uint8")
SECOND = np.array([[[1, 1], [1, 0]], [[1, 0], [0, 0]], [[0, 0], [0, 0]]], "uint8")


def test_foreground_share_is_that_of_all_pixels():
    """Of eight pixels of both views 1 + 3, 4 + 1 and none."""
    np.testing.assert_allclose(foreground_share(FIRST, SECOND), [4 / 8, 5 / 8, 0])


def test_lost_region_share_is_that_of_views_of_one_region():
    """The second image's first view is all foreground; the third has none in either."""
    np.testing.assert_allclose(lost_region_share(FIRST, SECOND), [0, 1 / 2, 1])


def test_every_number_but_zero_is_foreground():
    """A view of regions 1 and 2 has no background."""
    masks = np.array([[[1, 2], [2, 1]]], "uint8")
    assert foreground_share(masks, masks).numpy().tolist() == [1.0]
    assert lost_region_share(masks, masks).numpy().tolist() == [1.0]
