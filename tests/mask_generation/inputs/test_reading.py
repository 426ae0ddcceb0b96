import io
import os
import pathlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.inputs import reading
from mask_generation.inputs.reading import UnusableImageError, decode_image, read_image


def _encode(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _saved(path: pathlib.Path, image: Image.Image, **options) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


@pytest.fixture
def photograph() -> Image.Image:
    return Image.fromarray(make_photograph(0))


def test_upright_rgb_jpeg_keeps_its_bytes(tmp_path, photograph):
    path = _saved(tmp_path / "a.jpg", photograph, quality=70)
    pixels, data = read_image(path)
    assert data == path.read_bytes()
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(path)))


def test_pixels_are_those_of_the_bytes_when_encoded_anew(tmp_path, photograph):
    pixels, data = read_image(_saved(tmp_path / "a.png", photograph))
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(io.BytesIO(data))))
    assert np.abs(pixels.astype(int) - np.asarray(photograph)).mean() < 5


@pytest.mark.parametrize(("longest", "size"), [(40, (40, 30)), (80, (80, 60)), (500, (80, 60))])
def test_longest_side_shrinks_and_never_enlarges(tmp_path, photograph, longest, size):
    path = _saved(tmp_path / "a.jpg", photograph)
    pixels, data = read_image(path, longest)
    assert pixels.shape == (size[1], size[0], 3)
    assert Image.open(io.BytesIO(data)).size == size
    assert (data == path.read_bytes()) == (longest >= 80)


def test_exif_orientation_turns_the_pixels_upright(tmp_path, photograph):
    """Orientation 6: the stored top is the right side, so the upright one is turned clockwise."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = _saved(tmp_path / "a.jpg", photograph, exif=exif, quality=95)
    pixels, data = read_image(path)
    assert pixels.shape == (80, 60, 3)
    again = Image.open(io.BytesIO(data))
    assert again.size == (60, 80)
    assert again.getexif().get(0x0112, 1) == 1
    assert np.abs(np.rot90(Image.open(path), -1).astype(int) - pixels).mean() < 5


def _flat(mode: str, color, size=(32, 32)) -> Image.Image:
    return Image.new(mode, size, color)


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (_flat("L", 100), "PNG", 100),
        (_flat("L", 100), "JPEG", 100),
        (_flat("1", 1), "PNG", 255),
        (_flat("LA", (10, 0)), "PNG", 255),
        (_flat("RGBA", (255, 0, 0, 0)), "PNG", (255, 255, 255)),
        (_flat("RGBA", (0, 0, 0, 51)), "PNG", 204),
        (_flat("RGB", (10, 20, 30)), "WEBP", (10, 20, 30)),
        (_flat("CMYK", (0, 0, 0, 255)), "JPEG", 0),
        (_flat("CMYK", (255, 0, 0, 0)), "JPEG", (0, 255, 255)),
        (Image.fromarray(np.full((32, 32), 32896, np.uint16)), "PNG", 128),
        (Image.fromarray(np.full((32, 32), 65535, np.uint16)), "PNG", 255),
        (Image.fromarray(np.full((32, 32), 300, np.uint16)), "TIFF", 1),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_other_modes_become_rgb(tmp_path, image, kind, expected):
    path = tmp_path / "image.jpg"  # the content counts, not the ending
    path.write_bytes(_encode(image, kind))
    pixels, _ = read_image(path)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (32, 32, 3)
    assert np.abs(pixels.astype(int) - expected).max() <= 3


def test_transparent_palette_color_becomes_white(tmp_path):
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 0, 200, 0])
    image.paste(0, (0, 0, 16, 32))
    pixels, _ = read_image(_saved(tmp_path / "a.png", image, transparency=0))
    assert pixels[:, :12].min() > 250
    assert np.abs(pixels[:, 20:].astype(int) - (0, 200, 0)).max() <= 3


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: os.mkfifo(path), "not a file"),
        (lambda path: path.symlink_to("nowhere"), "cannot be opened: No such file"),
        (lambda path: path.write_bytes(b""), "empty file"),
        (lambda path: path.write_text("a text"), "not an image"),
        (lambda path: Image.fromarray(np.ones((9, 9), np.float32)).save(path, "TIFF"), "floating"),
        (lambda path: Image.new("I", (9, 9), 70000).save(path, "TIFF"), "32-bit pixels"),
        (lambda path: Image.new("RGB", (65501, 1)).save(path, "PNG"), "65501×1 px: a JPEG has at"),
    ],
    ids=["folder", "pipe", "dangling", "empty", "text", "float", "32-bit", "too wide"],
)
def test_unusable_file_is_refused_with_a_reason_of_one_line(tmp_path, make, reason):
    make(tmp_path / "x.jpg")
    with pytest.raises(UnusableImageError, match=reason) as error:
        read_image(tmp_path / "x.jpg")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_truncated_file_is_refused_with_a_reason_of_one_line(tmp_path, photograph, kind, share):
    data = _encode(photograph, kind)
    (tmp_path / "x.jpg").write_bytes(data[: int(share * len(data))])
    with pytest.raises(UnusableImageError, match=r"^(damaged: .+|not an image)$"):
        read_image(tmp_path / "x.jpg")


@pytest.mark.parametrize("limit", [4000, 1000])
def test_pixel_bomb_is_refused_before_it_is_decoded(tmp_path, photograph, monkeypatch, limit):
    """4800 pixels: over the limit Pillow warns, over twice the limit it raises."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(UnusableImageError, match=r"more than 33,554,432 pixels"):
        read_image(_saved(tmp_path / "x.png", photograph))


def _header_only_png(width: int, height: int) -> bytes:
    """A PNG that says it has this size, and holds next to nothing."""
    data = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", data), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize("size", [(20000, 20000), (10000, 7000)])
def test_hundreds_of_megapixels_are_refused_by_the_header(size):
    """The first is over Pillow's own limit, the second only over this package's."""
    with pytest.raises(UnusableImageError, match=r"more than 33,554,432 pixels"):
        decode_image(_header_only_png(*size))


@pytest.mark.parametrize("pillow", [10**9, 2300])
@pytest.mark.parametrize(("limit", "size"), [(2400, (40, 30)), (400, (20, 15)), (75, (10, 8))])
def test_large_jpeg_is_decoded_at_a_fraction_of_its_size(
    photograph, monkeypatch, limit, size, pillow
):
    """4800 pixels: a half has 1200, a quarter 300, an eighth 80 in this small image."""
    monkeypatch.setattr(reading, "LARGEST_PIXELS", limit)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pillow)
    pixels, data = decode_image(_encode(photograph, "JPEG", quality=95))
    assert pixels.shape == (size[1], size[0], 3)
    assert Image.open(io.BytesIO(data)).size == size
    small = np.asarray(photograph.resize(size, Image.Resampling.BOX)).astype(int)
    assert np.abs(small - pixels).mean() < 6


@pytest.mark.parametrize(("limit", "options"), [(74, {}), (2400, {"progressive": True})])
def test_jpeg_that_a_fraction_does_not_help_is_refused(photograph, monkeypatch, limit, options):
    """An eighth is still too much; a progressive JPEG is held as a whole while it is decoded."""
    monkeypatch.setattr(reading, "LARGEST_PIXELS", limit)
    with pytest.raises(UnusableImageError, match=rf"80×60 px: more than {limit:,} pixels"):
        decode_image(_encode(photograph, "JPEG", **options))


def test_large_file_is_not_read(tmp_path, photograph, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_FILE", 100)
    path = _saved(tmp_path / "x.png", photograph)
    with pytest.raises(UnusableImageError, match="bytes: more than 100 are not read"):
        read_image(path)


@pytest.mark.parametrize("size", [(1, 20000), (20000, 1), (1, 1)])
def test_panoramas_and_thumbnails_are_read(size):
    pixels, data = decode_image(_encode(Image.new("RGB", size, (9, 8, 7)), "PNG"))
    assert pixels.shape == (size[1], size[0], 3)
    assert Image.open(io.BytesIO(data)).size == size
    assert max(decode_image(data, longest_side=100)[0].shape[:2]) == min(100, max(size))


def test_lab_becomes_rgb():
    """Red of sRGB is L* 54.3, a* 80.8, b* 69.9 under D50; a* and b* are stored as signed bytes."""
    image = Image.frombytes("LAB", (8, 8), bytes([138, 81, 70] * 64))
    pixels, _ = decode_image(_encode(image, "TIFF"))
    assert np.abs(pixels.astype(int) - (254, 0, 0)).max() <= 8


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_counts_of_any_kind_of_animation(kind):
    frames = [_flat("RGB", (200, 0, 0)), _flat("RGB", (0, 0, 200))]
    data = _encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert Image.open(io.BytesIO(data)).n_frames == 2
    assert np.abs(decode_image(data)[0].astype(int) - (200, 0, 0)).max() <= 3


def test_signed_rational_in_the_metadata_costs_nothing():
    """An exposure time of -1 / 0 as a signed rational, which Pillow cannot write anew."""
    entry = struct.pack("<IHHHIIHHIII", 8, 2, 274, 3, 1, 6, 0x8769, 4, 1, 38, 0)
    entry += struct.pack("<HHHIII", 1, 0x9203, 10, 1, 56, 0) + struct.pack("<ii", -1, 0)
    buffer = io.BytesIO()
    Image.fromarray(make_photograph(0)).save(buffer, "JPEG", exif=b"Exif\0\0II*\0" + entry)
    pixels, _ = decode_image(buffer.getvalue())
    assert pixels.shape == (80, 60, 3)  # turned from 60 × 80


def _tiff(*frames: tuple[np.ndarray, dict[int, int]]) -> bytes:
    images = []
    for pixels, tags in frames:
        image = Image.fromarray(pixels)
        image.encoderinfo = {"tiffinfo": tags}
        images.append(image)
    buffer = io.BytesIO()
    first, *others = images
    first.save(buffer, "TIFF", save_all=True, append_images=others, tiffinfo=frames[0][1])
    return buffer.getvalue()


def test_reduced_copy_before_the_picture_is_passed_over():
    """Tag 254, NewSubfileType: bit 0 marks a reduced copy."""
    rgb = make_photograph(0)
    data = _tiff((rgb[::4, ::4], {254: 1}), (rgb, {254: 0}))
    assert decode_image(data)[0].shape == rgb.shape
    data = _tiff((rgb, {254: 0}), (rgb[::4, ::4], {254: 1}))
    assert decode_image(data)[0].shape == rgb.shape


def test_picture_after_a_reduced_copy_is_held_to_the_largest_size(monkeypatch):
    rgb = make_photograph(0)
    monkeypatch.setattr(reading, "LARGEST_PIXELS", rgb[..., 0].size - 1)
    with pytest.raises(UnusableImageError, match="80×60 px: more than"):
        decode_image(_tiff((rgb[::4, ::4], {254: 1}), (rgb, {254: 0})))


def test_sixteen_bits_with_white_as_zero_are_no_negative():
    """Tag 262, PhotometricInterpretation: 0 means that 0 is white."""
    gray = make_photograph(0)[..., 0].astype(np.uint16) * 257
    plain = decode_image(_tiff((gray, {})))[0]
    inverted = bytearray(_tiff((65535 - gray, {})))
    entry = inverted.find(struct.pack("<HHII", 262, 3, 1, 1))
    assert entry > 0
    inverted[entry + 8] = 0
    np.testing.assert_array_equal(decode_image(bytes(inverted))[0], plain)


def test_comment_too_long_for_a_jpeg_costs_nothing():
    data = _encode(Image.new("P", (64, 64)), "GIF", comment=b"x" * 70_000)
    pixels, jpeg = decode_image(data)
    assert pixels.shape == (64, 64, 3)
    assert Image.open(io.BytesIO(jpeg)).size == (64, 64)


def test_first_photograph_of_several_in_one_file_keeps_its_bytes(photograph):
    """Telephones write a second one, such as a map of depths, after the first."""
    data = _encode(photograph, "MPO", save_all=True, append_images=[photograph])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    _, jpeg = decode_image(data)
    assert data.startswith(jpeg)
    assert len(jpeg) < len(data)
    assert Image.open(io.BytesIO(jpeg)).size == photograph.size
