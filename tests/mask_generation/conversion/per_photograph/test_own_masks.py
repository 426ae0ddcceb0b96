import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.conversion.per_photograph.own_masks import masks_marks, own_mask, parse_masks
from mask_generation.inputs import mask_file
from mask_generation.inputs.mask_file import UnusableMaskError
from mask_generation.inputs.sources import InMemory

RGB = make_photograph(0)
LEFT = np.zeros((60, 80), np.uint8)
LEFT[:, :40] = 1
"""The left half of the photograph."""


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _source(mask: bytes | None = None) -> InMemory:
    return InMemory(b"", "a.jpg", -1, mask)


def _read(folder: pathlib.Path, content: bytes | np.ndarray, name: str = "a.png"):
    data = content if isinstance(content, bytes) else _png(content)
    (folder / name).write_bytes(data)
    return own_mask(_source(), RGB, str(folder))[0]


@pytest.mark.parametrize("side", [4, 40])
def test_mask_counts_though_its_photograph_shows_nothing(tmp_path, side):
    # One that a method could not find: the image is flat, or too small to look.
    drawn = np.zeros((side, side), np.uint8)
    drawn[: side // 2] = 1
    (tmp_path / "a.png").write_bytes(_png(drawn))
    result, _ = own_mask(_source(), np.full((side, side, 3), 90, np.uint8), str(tmp_path))
    np.testing.assert_array_equal(result.mask, drawn)
    assert (result.quality, result.flag) == (1.0, None)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
@pytest.mark.parametrize("channel", [False, True])
def test_array_file_is_read_by_its_key(tmp_path, dtype, channel):
    array = LEFT.astype(dtype)
    np.savez(tmp_path / "a.npz", foreground=array[..., None] if channel else array)
    np.testing.assert_array_equal(own_mask(_source(), RGB, str(tmp_path))[0].mask, LEFT)


@pytest.mark.parametrize("size", [(160, 120), (40, 30), (53, 40), (81, 60), (20, 15)])
def test_mask_of_the_same_shape_is_resized(tmp_path, size):
    """53 × 40 is two thirds of 80 × 60, rounded: 53.3 × 40."""
    mask = np.asarray(Image.fromarray(LEFT).resize(size, Image.Resampling.NEAREST))
    result = _read(tmp_path, mask)
    assert result.mask.shape == (60, 80)
    assert np.abs(result.mask.astype(int) - LEFT).mean() <= 1 / 40


@pytest.mark.parametrize("size", [(60, 80), (80, 80), (80, 58), (40, 32)])
def test_mask_of_another_shape_is_refused(tmp_path, size):
    with pytest.raises(UnusableMaskError, match=rf"another shape: {size[0]}×{size[1]} px, not 80×"):
        _read(tmp_path, np.ones(size[::-1], np.uint8))


@pytest.mark.parametrize(("value", "flag"), [(0, "almost no f"), (1, "almost all f")])
def test_mask_of_one_value_is_flagged(tmp_path, value, flag):
    result = _read(tmp_path, np.full((60, 80), value, np.uint8))
    assert result.flag is not None
    assert result.flag.startswith(flag)
    assert (result.mask == value).all()


def _npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("b.png", b"", "no mask: there is no mask file of its name"),
        ("a.png", b"", r"its mask a\.png: empty file"),
        ("a.png", b"text", "its mask is not an image"),
        ("a.png", _png(LEFT)[:60], "its mask is damaged"),
        ("a.npz", b"PK\x03\x04", "its mask is damaged"),
        ("a.npz", _npz(mask=LEFT), "its mask has no array 'foreground'"),
        ("a.npz", _npz(foreground=LEFT[0]), r"its mask is uint8 of shape \(80,\)"),
        ("a.npz", _npz(foreground=np.full((60, 80), "x")), "not numbers"),
        ("a.npz", _npz(foreground=np.full((60, 80), np.nan)), "values that are not finite"),
    ],
)
def test_unusable_mask_is_refused_with_a_reason_of_one_line(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableMaskError, match=reason) as error:
        own_mask(_source(), RGB, str(tmp_path))
    assert "\n" not in str(error.value)


def test_mask_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(mask_file, "LARGEST_PIXELS", 1000)
    with pytest.raises(UnusableMaskError, match="its mask has more than 4,000 pixels"):
        _read(tmp_path, LEFT)


def test_mask_of_a_photograph_that_is_decoded_smaller_is_read_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(mask_file, "LARGEST_PIXELS", 2000)
    np.testing.assert_array_equal(_read(tmp_path, LEFT).mask, LEFT)


def test_mask_of_a_data_set_counts_the_values_named():
    """Values 0, 1, 2 in three parts; by default 1 and 2 are foreground, here only 2."""
    pixels = np.repeat(np.array([0, 1, 2], np.uint8), [30, 20, 30])[None].repeat(60, axis=0)
    source = _source(_png(pixels))
    np.testing.assert_array_equal(own_mask(source, RGB, "tfds:outline")[0].mask, pixels > 0)
    np.testing.assert_array_equal(own_mask(source, RGB, "tfds:outline=2")[0].mask, pixels == 2)
    with pytest.raises(UnusableMaskError, match="no mask: it has no feature outline"):
        own_mask(_source(), RGB, "tfds:outline")


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match=r"with whole numbers in =VALUE,VALUE\. Received: 'tfds:o"):
        parse_masks("tfds:outline=cat")


def test_marks_change_with_the_masks(tmp_path):
    seen = {tuple(masks_marks(str(tmp_path)))}
    (tmp_path / "a.png").write_bytes(b"1")
    seen.add(tuple(masks_marks(str(tmp_path))))
    (tmp_path / "a.png").write_bytes(b"12")
    seen.add(tuple(masks_marks(str(tmp_path))))
    assert len(seen) == 3


def _jpeg(orientation: int) -> bytes:
    """RGB as a camera stores it, to be turned to what RGB shows."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}[orientation]
    buffer = io.BytesIO()
    Image.fromarray(RGB).transpose(undo).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", [3, 6])
def test_mask_of_a_data_set_is_turned_as_its_photograph_is(orientation):
    """TensorFlow Datasets shows both as they are stored."""
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}[orientation]
    mask = _png(np.asarray(Image.fromarray(LEFT).transpose(undo)))
    source = InMemory(_jpeg(orientation), "a.jpg", -1, mask)
    np.testing.assert_array_equal(own_mask(source, RGB, "tfds:outline")[0].mask, LEFT)


@pytest.mark.parametrize("drawn_on", ["stored", "shown"])
def test_mask_file_is_turned_with_a_photograph_on_its_side(tmp_path, drawn_on):
    mask = Image.fromarray(LEFT)
    mask = mask.transpose(Image.Transpose.ROTATE_90) if drawn_on == "stored" else mask
    mask.save(tmp_path / "a.png")
    source = InMemory(_jpeg(6), "a.jpg", -1)
    np.testing.assert_array_equal(own_mask(source, RGB, str(tmp_path))[0].mask, LEFT)


def test_values_name_the_foreground_of_a_folder(tmp_path):
    """A trimap of 1, 2 and 3: refused as it is, 1 is foreground when that is said."""
    pixels = np.repeat(np.array([1, 2, 3], np.uint8), [30, 20, 30])[None].repeat(60, axis=0)
    (tmp_path / "a.png").write_bytes(_png(pixels))
    np.savez(tmp_path / "b.npz", foreground=pixels)
    with pytest.raises(UnusableMaskError, match="and no 0, so which are foreground"):
        own_mask(_source(), RGB, str(tmp_path))
    for name in ("a.jpg", "b.jpg"):
        mask, assumption = own_mask(InMemory(b"", name, -1), RGB, f"{tmp_path}=1")
        np.testing.assert_array_equal(mask.mask, pixels == 1)
        assert assumption == ""


def test_folder_with_an_equals_sign_in_its_name(tmp_path):
    folder = tmp_path / "size=64"
    folder.mkdir()
    assert parse_masks(str(folder)).folder == str(folder)
    assert parse_masks(f"{folder}=3").values == (3,)
