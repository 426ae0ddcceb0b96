"""What a mask file means, kind by kind; the expected foreground is a drawn ellipse."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mask_generation.inputs.mask_file import (
    UnusableMaskError,
    decode_array,
    decode_file,
    decode_mask,
)

SIZE = (120, 90)


def _drawn(value: int = 255) -> Image.Image:
    image = Image.new("L", SIZE)
    ImageDraw.Draw(image).ellipse((14, 10, 62, 55), fill=value)
    return image


FOREGROUND = np.asarray(_drawn()) > 0


def _file(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _of(pixels: np.ndarray) -> bytes:
    return _file(Image.fromarray(pixels))


def _read(image: Image.Image, **options):
    return decode_mask(_file(image), **options)


def _is_drawn(mask) -> bool:
    return np.array_equal(mask.foreground, FOREGROUND) and mask.void is None


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "LA", "I;16", "P"])
@pytest.mark.parametrize("value", [1, 7, 255])
def test_two_values_are_background_and_foreground(mode, value):
    if mode == "1":
        image = _drawn().convert("1")
    elif mode == "I;16":
        image = Image.fromarray(np.asarray(_drawn(value)).astype(np.uint16) * 256)
    else:
        image = _drawn(value).convert(mode)
    mask = _read(image)
    assert _is_drawn(mask)
    assert mask.assumption == ""


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_gray_of_less_than_eight_bits_is_spread_over_the_range(bits):
    """The largest value is 255, as TensorFlow Datasets shows it: ``=255`` names it."""
    pixels = Image.fromarray(FOREGROUND.astype(np.uint8) * (2**bits - 1))
    pixels.putpalette([round(255 * i / (2**bits - 1)) for i in range(2**bits) for _ in range(3)])
    data = _file(pixels, bits=bits)
    assert _is_drawn(decode_mask(data))
    np.testing.assert_array_equal(decode_mask(data, values=(255,)).foreground, FOREGROUND)


def test_palette_of_black_and_white_counts_by_its_colors():
    """Index 0 is drawn white, index 1 black."""
    image = Image.fromarray((~FOREGROUND).astype(np.uint8), "L").convert("P")
    image.putdata((~FOREGROUND).astype(int).ravel().tolist())
    image.putpalette([255, 255, 255, 0, 0, 0])
    assert _is_drawn(_read(image))


def _voc() -> Image.Image:
    """Labels 15 and 255 (a rim of void) in PASCAL VOC's palette."""
    labels = np.where(FOREGROUND, 15, 0).astype(np.uint8)
    rim = FOREGROUND ^ np.roll(FOREGROUND, 2, axis=1)
    labels[rim] = 255
    image = Image.fromarray(labels, "L").convert("P")
    image.putdata(labels.ravel().tolist())
    image.putpalette([0, 0, 0] + [192, 128, 128] * 254 + [224, 224, 192])
    return image


@pytest.mark.parametrize("as_gray", [False, True])
def test_labels_of_pascal_voc_have_void(as_gray):
    labels = np.asarray(_voc())
    mask = _read(Image.fromarray(labels, "L") if as_gray else _voc())
    np.testing.assert_array_equal(mask.foreground, labels == 15)
    np.testing.assert_array_equal(mask.void, labels == 255)
    assert mask.assumption == "labels: all but 0 is foreground, 255 is void"


def test_listed_values_are_foreground_and_nothing_else():
    """Of a palette, folders mean the index and TensorFlow Datasets the gray of its color.

    .299·192 + (.587 + .114)·128 is 147.1.
    """
    labels = np.asarray(_voc())
    np.testing.assert_array_equal(_read(_voc(), values=(15,)).foreground, labels == 15)
    shown = _read(_voc(), values=(147,), palette_by_index=False)
    np.testing.assert_array_equal(shown.foreground, labels == 15)


def test_values_shown_for_a_palette_are_tensorflows():
    import tensorflow as tf

    data = _file(_voc())
    expected = tf.io.decode_png(data, channels=1)[..., 0].numpy()
    for value in np.unique(expected).tolist():
        found = decode_mask(data, values=(value,), palette_by_index=False)
        np.testing.assert_array_equal(found.foreground, expected == value)


def test_mask_that_was_a_jpeg_is_cut_at_half():
    """Compression leaves grays of a few units around the edge, all far from half."""
    jpeg = _file(_drawn(), "JPEG", quality=75)
    mask = decode_mask(_file(Image.open(io.BytesIO(jpeg))))
    assert (mask.foreground != FOREGROUND).mean() < 0.01
    assert mask.assumption == "many grays: 128 and more is foreground"
    assert np.array_equal(decode_mask(jpeg).foreground, mask.foreground)


@pytest.mark.parametrize("colored", [False, True])
def test_noise_of_a_prediction_is_not_foreground(colored):
    noise = np.random.default_rng(0).integers(0, 4, FOREGROUND.shape)
    pixels = np.clip(np.asarray(_drawn()) + noise, 0, 255).astype(np.uint8)
    mask = decode_mask(_of(np.dstack([pixels] * 3) if colored else pixels))
    assert _is_drawn(mask)
    assert "many grays" in mask.assumption


def test_prediction_with_flat_ends_is_cut_at_half():
    """Sure pixels are 10 and 245; between them the values rise along a ramp."""
    ramp = np.clip(np.linspace(-200, 455, SIZE[0]), 10, 245).astype(np.uint8)
    mask = decode_mask(_of(np.tile(ramp, (SIZE[1], 1))))
    np.testing.assert_array_equal(mask.foreground[0], ramp >= 128)


def test_trimap_of_matting_is_void_in_the_middle():
    pixels = np.asarray(_drawn()).copy()
    pixels[FOREGROUND ^ np.roll(FOREGROUND, 3, axis=0)] = 128
    mask = decode_mask(_of(pixels))
    np.testing.assert_array_equal(mask.foreground, pixels == 255)
    np.testing.assert_array_equal(mask.void, pixels == 128)


@pytest.mark.parametrize("values", [(1, 2), (2, 1, 3), (3, 255)])
def test_mask_without_a_zero_is_refused(values):
    """Such as Oxford's trimaps, 1 for the pet, 2 for the ground and 3 for the rim."""
    pixels = np.where(FOREGROUND, *values[:2]).astype(np.uint8)
    pixels[:, :20] = values[-1]
    with pytest.raises(UnusableMaskError, match=r"and no 0, so which are foreground\? Say so:"):
        decode_mask(_of(pixels))
    assert decode_mask(_of(pixels), values=values[:1]).foreground.any()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_the_mask_where_nothing_else_is(mode):
    image = Image.new(mode, SIZE, 255 if mode == "LA" else "white")
    image.putalpha(_drawn())
    mask = _read(image)
    assert _is_drawn(mask)
    assert mask.assumption == "transparency is the mask"


def test_transparency_is_ignored_where_colors_say_something():
    image = _drawn().convert("LA")
    image.putalpha(Image.new("L", SIZE, 9))
    assert _is_drawn(_read(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_mask_is_turned_by_its_own_orientation_or_the_photographs(orientation):
    """A photograph of the same pixels, turned by Pillow, shows where the ellipse goes."""
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    tagged = _file(_drawn(), exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(tagged)))) > 0
    np.testing.assert_array_equal(decode_mask(tagged).foreground, expected)
    np.testing.assert_array_equal(decode_mask(tagged, orientation=3).foreground, expected) if (
        orientation != 1
    ) else None
    untagged = decode_mask(_file(_drawn()), orientation=orientation)
    np.testing.assert_array_equal(untagged.foreground, expected)


def test_array_of_probabilities_is_cut_at_half():
    array = np.where(FOREGROUND, 0.9, 0.1) + np.random.default_rng(0).uniform(0, 0.05, (90, 120))
    mask = decode_array(array.astype(np.float32))
    assert _is_drawn(mask)
    assert mask.assumption == "many grays: 0.5 and more is foreground"


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_array_of_two_values(dtype):
    assert _is_drawn(decode_array(FOREGROUND.astype(dtype)[..., None]))
    assert _is_drawn(decode_array(np.where(FOREGROUND, 4, 1), values=(4,)))


def test_instances_are_labels():
    """Six squares of six numbers, far from half of the range."""
    pixels = np.zeros((60, 90), np.uint8)
    for index in range(6):
        pixels[10:40, 15 * index : 15 * index + 9] = index + 1
    mask = decode_mask(_of(pixels))
    np.testing.assert_array_equal(mask.foreground, pixels > 0)
    assert mask.assumption == "labels: all but 0 is foreground"


def test_array_that_unpacks_to_gigabytes_is_refused_before(tmp_path):
    """A header of 2.6 GB and zeros behind it, which are compressed to a thousandth."""
    header = io.BytesIO()
    shape = {"descr": "|b1", "fortran_order": False, "shape": (26, 10**8)}
    np.lib.format.write_array_header_1_0(header, shape)
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("foreground.npy", "w") as array,
    ):
        array.write(header.getvalue())
        for _ in range(27):
            array.write(bytes(10**7))
    data = (tmp_path / "a.npz").read_bytes()
    assert len(data) < 2 * 10**6
    with pytest.raises(UnusableMaskError, match=r"unpacks to 270,000,128 bytes: more than 268"):
        decode_file("a.npz", data)
