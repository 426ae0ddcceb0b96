"""One record through the whole of it: what goes wrong is said with the record's name."""

import cv2
import numpy as np
import pytest

from harl_tf.data import RandomResizedCrop
from harl_tf.data.geometry import DRAWS
from harl_tf.data.view_cutter import EncodedImage, ViewCutter, Views


def record(height=60, width=80, mask_type=np.uint8, **changes):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), mask_type)
    mask[:, width // 2 :] = 300 if mask_type == np.uint16 else 1
    fields = {
        "name": b"a/b.jpg",
        "jpeg": cv2.imencode(".jpg", image)[1].tobytes(),
        "png": cv2.imencode(".png", mask)[1].tobytes(),
    }
    return EncodedImage(**{**fields, **changes})


def cut(a_record, size=16, mask_type=np.uint8, crops=None, draws=None):
    views = Views.empty(2, size, mask_type), Views.empty(2, size, mask_type)
    for each in views:
        for array in each:
            array[:] = 9
    crops = crops or (RandomResizedCrop(), RandomResizedCrop())
    draws = np.random.default_rng(1).uniform(size=(2, DRAWS)) if draws is None else draws
    ViewCutter(crops)(a_record, draws, views, 1)
    return views


def test_only_the_row_asked_for_is_written():
    for view in cut(record()):
        for array in view:
            assert (array[0] == 9).all()
        assert view.windows[1, 5:].tolist() == [60, 80]
        assert set(np.unique(view.masks[1])) <= {0, 1}


def test_views_have_the_masks_of_their_windows():
    """The right half is foreground: the view's columns whose place is in it, and no others."""
    for view in cut(record()):
        _, left, _, width, mirrored, _, _ = view.windows[1].tolist()
        columns = left + np.floor((np.arange(16) + 0.5) / 16 * width)
        columns = columns[::-1] if mirrored else columns
        np.testing.assert_array_equal(view.masks[1], np.tile(columns >= 40, (16, 1)))


def test_windows_of_a_photograph_decoded_smaller_lie_on_its_pixels():
    """Whole windows of 60 × 80 in views of 16: 2 times smaller, so on even numbers."""
    crop = RandomResizedCrop(area=(0.9, 1.0))
    for view in cut(record(61, 81), crops=(crop, crop)):
        assert (view.windows[1, :4] % 2 == 0).all()


def test_blank_mask():
    for view in cut(record(blank=True)):
        assert not view.masks[1].any()


def test_region_numbers_of_16_bits():
    for view in cut(record(mask_type=np.uint16), mask_type=np.uint16):
        assert set(np.unique(view.masks[1])) <= {0, 300}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"jpeg": b"nothing"}, "Expected an image. Received: 7 bytes that are not an image."),
        ({"png": b""}, "Expected an image. Received: 0 bytes that are not an image."),
        ({"png": record(30, 40).png}, r"the same height and width. Received: a mask of \(30, 40\)"),
    ],
)
def test_damaged_record(changes, sentence):
    with pytest.raises(ValueError, match=rf"The record 'a/b.jpg' is damaged\. .*{sentence}"):
        cut(record(**changes))
