"""JPEGs that are whole, cut off, or followed by something else."""

import io

import pytest
import tensorflow as tf
from PIL import Image

from conftest import make_photograph
from mask_generation.inputs.formats.jpeg_end import whole_jpeg
from mask_generation.inputs.reading import UnusableImageError, decode_image


def _jpeg(**options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(make_photograph(0)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


OPTIONS = [{}, {"progressive": True}, {"quality": 100}, {"restart_marker_rows": 1}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_whole_jpeg_is_kept_without_what_follows(options):
    """Such as the video of a motion photo, which holds markers of its own."""
    data = _jpeg(**options)
    assert whole_jpeg(data) == data
    assert whole_jpeg(data + b"\0\0\0\x18ftypmp42" + data) == data
    assert decode_image(data + b"video")[1] == data


def test_thumbnail_within_the_metadata_does_not_end_it():
    thumbnail = _jpeg()
    data = _jpeg(exif=b"Exif\0\0" + thumbnail)
    assert whole_jpeg(data + b"more") == data


def test_jpeg_that_ends_in_zeros_is_encoded_again():
    """Pillow reads it; TensorFlow, which reads the records, does not."""
    data = _jpeg()[:-2] + bytes(512)
    assert whole_jpeg(data) is None
    pixels, stored = decode_image(data)
    assert whole_jpeg(stored) == stored
    assert tf.io.decode_jpeg(stored, channels=3).shape == pixels.shape


@pytest.mark.parametrize("options", OPTIONS[:2], ids=str)
@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_jpeg_that_was_cut_off_is_refused(options, share):
    data = _jpeg(**options)[:-2]
    with pytest.raises(UnusableImageError, match="damaged"):
        decode_image(data[: int(share * len(data))])


def test_other_data_have_no_end():
    assert whole_jpeg(b"") is None
    assert whole_jpeg(b"\x89PNG") is None
    assert whole_jpeg(b"\xff\xd8 text") is None
