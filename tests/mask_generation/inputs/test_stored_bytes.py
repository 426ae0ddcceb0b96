"""Whatever a photograph's format, the decoder that training uses reads what is stored of it."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import data as pictures

from harl_tf.data.records import decode_image as decode_record
from mask_generation.inputs.formats.jpeg_end import structure
from mask_generation.inputs.reading import UnusableImageError, decode_image

PHOTOGRAPH = Image.fromarray(pictures.astronaut()[:48, :64])
# By cjpeg -arithmetic -quality 30, of 32×24 pixels.
ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1"
    "tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
    "pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/yQARCAAYACADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPw"
    "DRA8R6r3o+w+Zhd+r06BpUQappLouS1LmVBQPOBBb1o/ON7q6pPm+zuQvqJewjEQ0e7IzLOyUtYqAihYfKkgWddu2H"
    "Nq3uLI5CJqg5rodCh1Xv6XiMTb83gJfYyED/AAfg8TW8/9k="
)


def _saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, each with its right checksum."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in (*chunks, (b"IEND", b"")):
        parts += [struct.pack(">I", len(data)), kind, data]
        parts.append(struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)


def _interlaced() -> bytes:
    """A PNG of one pixel that says it is interlaced: its first pass is all there is."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 1)
    return _png((b"IHDR", header), (b"IDAT", zlib.compress(b"\0\x14\x28\x3c")))


def _without_a_scan() -> bytes:
    data = _saved(PHOTOGRAPH, "JPEG", progressive=True)
    return data[: data.rindex(b"\xff\xc4")] + b"\xff\xd9"


def _files() -> dict[str, bytes]:
    gray, palette = PHOTOGRAPH.convert("L"), PHOTOGRAPH.quantize(16)
    sixteen = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    frames = [PHOTOGRAPH, PHOTOGRAPH.rotate(180)]
    animated = {"save_all": True, "append_images": frames[1:]}
    return {
        "gray JPEG": _saved(gray, "JPEG"),
        "CMYK JPEG": _saved(PHOTOGRAPH.convert("CMYK"), "JPEG"),
        "RGB JPEG": _saved(PHOTOGRAPH, "JPEG", keep_rgb=True),
        "progressive JPEG": _saved(PHOTOGRAPH, "JPEG", progressive=True),
        "progressive JPEG without a scan": _without_a_scan(),
        "arithmetic JPEG": ARITHMETIC,
        "MPO": _saved(PHOTOGRAPH, "MPO", **animated),
        "16-bit PNG": _saved(sixteen, "PNG"),
        "1-bit PNG": _saved(PHOTOGRAPH.convert("1"), "PNG"),
        "palette PNG": _saved(palette, "PNG", transparency=3),
        "gray and alpha PNG": _saved(gray.convert("LA"), "PNG"),
        "RGBA PNG": _saved(PHOTOGRAPH.convert("RGBA"), "PNG"),
        "animated PNG": _saved(PHOTOGRAPH, "PNG", **animated),
        "interlaced PNG": _interlaced(),
        "BMP": _saved(PHOTOGRAPH, "BMP"),
        "GIF": _saved(palette, "GIF"),
        "animated WebP": _saved(PHOTOGRAPH, "WEBP", **animated),
        "TIFF": _saved(PHOTOGRAPH, "TIFF", compression="tiff_lzw"),
        "CMYK TIFF": _saved(PHOTOGRAPH.convert("CMYK"), "TIFF"),
        "AVIF": _saved(PHOTOGRAPH, "AVIF"),
    }


FILES = _files()


@pytest.mark.parametrize("kind", FILES)
def test_stored_bytes_decode_to_the_pixels_that_the_mask_was_made_of(kind):
    """Up to rounding: TensorFlow's fast inverse transform and upsampling of colors differ."""
    pixels, stored = decode_image(FILES[kind])
    for decoded in (decode_record(stored), tf.io.decode_image(stored, 3)):
        assert np.abs(decoded.numpy().astype(int) - pixels).mean() < 3
    assert structure(stored).is_common


def test_jpeg_that_few_decoders_read_is_encoded_again():
    """TensorFlow does, OpenCV and browsers do not."""
    assert not structure(ARITHMETIC).is_common
    assert decode_image(ARITHMETIC)[1] != ARITHMETIC
    assert decode_image(FILES["progressive JPEG"])[1] == FILES["progressive JPEG"]


@pytest.mark.parametrize(("byte", "value"), [(4, 12), (1, 0xC3)], ids=["12-bit", "lossless"])
def test_jpeg_that_cannot_be_read_is_refused_with_a_reason(byte, value):
    """Its header is enough to see it: the precision, or the kind of frame."""
    jpeg = bytearray(FILES["progressive JPEG"])
    jpeg[jpeg.index(b"\xff\xc2") + byte] = value
    with pytest.raises(UnusableImageError, match=r"damaged|not an image"):
        decode_image(bytes(jpeg))


def test_png_of_an_iphone_application_is_refused():
    """It has another order of colors, and its pixels lack the header of zlib."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    pixels = packer.compress(bytes(33 * 8)) + packer.flush()
    header = struct.pack(">IIBBBBB", 8, 8, 8, 6, 0, 0, 0)
    with pytest.raises(UnusableImageError, match="damaged: broken data stream"):
        decode_image(_png((b"CgBI", b"P\0 \6"), (b"IHDR", header), (b"IDAT", pixels)))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_png_with_a_damaged_stream_is_refused(mode):
    """Its checksums are right, so that only decoding shows it."""
    data = _saved(PHOTOGRAPH.convert(mode), "PNG")
    start = data.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", data, start)
    pixels = bytearray(data[start + 8 : start + 8 + length])
    pixels[200:260] = bytes(60)
    with pytest.raises(UnusableImageError, match="damaged"):
        decode_image(_png((b"IHDR", data[16:29]), (b"IDAT", bytes(pixels))))


@pytest.mark.parametrize(
    "kind", ["palette PNG", "16-bit PNG", "GIF", "animated WebP", "AVIF", "TIFF"]
)
def test_cut_file_of_another_kind_is_refused(kind):
    data = FILES[kind]
    with pytest.raises(UnusableImageError):
        decode_image(data[: len(data) // 2])


@pytest.mark.parametrize("kind", ["palette PNG", "16-bit PNG", "RGBA PNG"])
def test_cut_png_with_an_end_is_refused(kind):
    """The checksum of its last chunk, or its stream of pixels, is not whole."""
    data = FILES[kind]
    start = data.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", data, start)
    half = b"IDAT" + data[start + 8 : start + 8 + length // 2]
    for chunk in (
        data[start : start + 8 + length // 2],
        struct.pack(">I", length // 2) + half + struct.pack(">I", zlib.crc32(half)),
    ):
        with pytest.raises(UnusableImageError):
            decode_image(data[:start] + chunk + data[-12:])
