"""Chunks that Pillow would refuse a PNG for, and those that pixels need."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.inputs.formats.png_chunks import SIGNATURE, without_metadata
from mask_generation.inputs.reading import decode_image

RGB = make_photograph(0)


def _png(**options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "PNG", **options)
    return buffer.getvalue()


def _chunk(kind: bytes, content: bytes, wrong: int = 0) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body) ^ wrong)


def _with(chunk: bytes) -> bytes:
    """The chunk after the header, which has 13 bytes."""
    data = _png()
    after = len(SIGNATURE) + 12 + 13
    return data[:after] + chunk + data[after:]


@pytest.mark.parametrize(
    "chunk",
    [
        _chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000),
        _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 80_000_000)),
        _chunk(b"iTXt", b"broken"),
        _chunk(b"iCCP", b"name\0\0" + zlib.compress(os.urandom(1_500_000))),
        _chunk(b"iCCP", b"name\0\0no zlib"),
        _chunk(b"tIME", b"\0" * 7, wrong=1),
        _chunk(b"eXIf", b"MM\0*", wrong=1),
    ],
    ids=["long text", "bomb", "international", "large profile", "profile", "checksum", "exif"],
)
def test_metadata_refuse_no_photograph(chunk):
    np.testing.assert_array_equal(
        decode_image(_with(chunk))[0], decode_image(without_metadata(_png()))[0]
    )
    assert without_metadata(_with(chunk)) == without_metadata(_png())


def test_whole_file_is_left_as_it_is():
    assert without_metadata(_png()) == _png()
    assert without_metadata(b"text") == b"text"


def test_transparency_and_orientation_stay():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = _png(exif=exif, transparency=(1, 2, 3))
    with Image.open(io.BytesIO(without_metadata(data))) as image:
        assert image.getexif()[0x0112] == 6
        assert image.info["transparency"] == (1, 2, 3)


@pytest.mark.parametrize("length", [9, 20, 40, 200])
def test_cut_off_file_is_left_to_the_decoder(length):
    assert without_metadata(_png()[:length]) == _png()[:length]
