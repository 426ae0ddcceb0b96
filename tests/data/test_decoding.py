"""Photographs are decoded no finer than their views need, and in place."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.data import decoding
from harl_tf.data.geometry import Window


def encoded(image, extension=".jpg"):
    return cv2.imencode(extension, image)[1].tobytes()


def smooth(height=61, width=83):
    """A picture whose colors change slowly, so that a JPEG of it is nearly exact."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([2 * columns, 3 * rows, 255 - 2 * columns], axis=-1).astype("uint8")


@pytest.mark.parametrize(
    ("sides", "size", "factor"),
    [((223, 500), 224, 1), ((448, 900), 224, 2), ((447, 900), 224, 1), ((3000, 3000), 96, 8)],
)
def test_reduction_leaves_a_pixel_for_each_of_the_view(sides, size, factor):
    """447 / 2 is less than 224; 3000 / 96 is 31, and 8 is the most that JPEG offers."""
    windows = [Window(0, 0, *sides, 0), Window(5, 5, 2 * sides[0], 2 * sides[1], 1)]
    assert decoding.reduction(windows, size) == factor


def test_photograph_is_rgb():
    """TensorFlow decodes by another release of the library, whose rounding is its own."""
    jpeg = encoded(smooth()[..., ::-1])
    expected = tf.io.decode_jpeg(jpeg, channels=3).numpy().astype(int)
    difference = np.abs(decoding.decode_photograph(jpeg) - expected)
    assert difference.max() <= 5
    assert difference.mean() < 1.5
    assert np.abs(decoding.decode_photograph(jpeg).astype(int) - smooth()).mean() < 3


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_smaller_photograph_has_the_means_of_squares(factor):
    """61 × 83 pixels; whole squares only, colors within what a JPEG of them loses."""
    small = decoding.decode_photograph(encoded(smooth()[..., ::-1]), factor).astype(float)
    assert small.shape == (-(-61 // factor), -(-83 // factor), 3)
    height, width = 61 // factor, 83 // factor
    whole = smooth()[: height * factor, : width * factor].astype(float)
    means = whole.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
    assert np.abs(small[:height, :width] - means).mean() < 2


def test_orientation_in_the_file_is_not_followed():
    """Records lie upright already; a mark that was left over must not turn the image only."""
    tag = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06"
    tag += bytes(6)
    jpeg = encoded(smooth(20, 30))
    marked = jpeg[:2] + b"\xff\xe1" + (len(tag) + 2).to_bytes(2, "big") + tag + jpeg[2:]
    assert cv2.imdecode(np.frombuffer(marked, np.uint8), cv2.IMREAD_COLOR).shape == (30, 20, 3)
    assert decoding.decode_photograph(marked).shape == (20, 30, 3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_regions_keep_values_and_type(dtype):
    ids = np.arange(200, 206).astype(dtype).reshape(2, 3) * (1 if dtype == "uint8" else 100)
    decoded = decoding.decode_regions(encoded(ids, ".png"))
    assert decoded.dtype == dtype
    np.testing.assert_array_equal(decoded, ids)


@pytest.mark.parametrize("decode", [decoding.decode_photograph, decoding.decode_regions])
@pytest.mark.parametrize("data", [b"", b"no image"])
def test_what_is_no_image(decode, data):
    with pytest.raises(ValueError, match=rf"Expected an image. Received: {len(data)} bytes"):
        decode(data)
