import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from harl_tf.evaluation import image_masks


@pytest.fixture
def folders(tmp_path):
    """Photographs in a subfolder: gray, with a palette, of one bit."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    for folder in (images, masks):
        (folder / "part").mkdir(parents=True)
    labels = np.array([[0, 1, 2], [2, 255, 0]], np.uint8)
    for number, name in enumerate(("a", "b", "c")):
        Image.new("RGB", (3, 2), (number, 0, 0)).save(images / "part" / f"{name}.png")
    Image.fromarray(labels).save(masks / "part" / "a.png")
    palette = Image.fromarray(labels, "P")
    palette.putpalette(bytes(range(256)) * 3)
    palette.save(masks / "part" / "b.png")
    Image.fromarray(labels > 0).save(masks / "part" / "c.png")
    return images, masks, labels


def test_pixels_are_class_numbers(folders):
    images, masks, labels = folders
    data = image_masks(images, masks)
    assert len(data) == 3
    found = list(data)
    assert [int(image[0, 0, 0, 0]) for image, _ in found] == [0, 1, 2]
    for (_, mask), expected in zip(found, (labels, labels, labels > 0), strict=True):
        assert np.array_equal(mask[0], expected)
    assert len(list(data)) == 3  # again


def test_scaled_masks_have_no_other_labels(folders):
    images, masks, labels = folders
    for image, mask in image_masks(images, masks, size=8):
        assert image.shape == (1, 8, 8, 3)
        assert set(np.unique(mask)) <= {*np.unique(labels), 1}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda mask: mask.unlink(), "none for 1, the first part/a"),
        (lambda mask: Image.new("RGB", (3, 2)).save(mask), "Received: an image of mode RGB"),
        (lambda mask: Image.new("L", (2, 3)).save(mask), "2×3 and 3×2 pixels"),
        (lambda mask: mask.write_bytes(b"nothing"), "cannot be read as an image"),
        (
            lambda mask: Image.new("L", (3, 2)).save(mask.rename(mask.with_suffix(".jpg"))),
            "lossless format",
        ),
    ],
)
def test_mask_that_will_not_do_is_named(folders, spoil, words):
    images, masks, _ = folders
    spoil(masks / "part" / "a.png")
    with pytest.raises(ValueError, match=words):
        list(image_masks(images, masks))


@pytest.mark.parametrize("upright", [True, False])
def test_mask_is_turned_with_its_photograph(tmp_path, upright):
    """By a quarter turn, unless its size says that it is upright already."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0] = 255
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "images" / "a.png", exif=exif)
    mask = Image.fromarray(pixels[..., 0] // 255)
    mask = mask.transpose(Image.Transpose.ROTATE_270) if upright else mask
    mask.save(tmp_path / "masks" / "a.png")
    ((found, labels),) = image_masks(tmp_path / "images", tmp_path / "masks")
    assert np.array_equal(found[0, ..., 0] // 255, labels[0])
    assert labels[0].tolist() == [[0, 1], [0, 0], [0, 0]]


def test_two_images_of_one_name_are_refused(folders):
    images, masks, _ = folders
    Image.new("RGB", (3, 2)).save(images / "part" / "a.jpg")
    with pytest.raises(ValueError, match="one image of each name"):
        image_masks(images, masks)


def test_hidden_files_are_no_images(folders):
    images, masks, _ = folders
    (images / "part" / "._a.png").write_bytes(b"of a file system")
    assert len(image_masks(images, masks)) == 3


@pytest.mark.parametrize("bits", [2, 4])
def test_gray_of_few_bits_keeps_its_numbers(folders, bits):
    """Pillow stretches them to 255; the bits of a row of three pixels are packed by hand."""
    images, masks, _ = folders
    packed = int("".join(format(label, f"0{bits}b") for label in (0, 1, 3)).ljust(16, "0"), 2)
    row = b"\0" + packed.to_bytes(2, "big")[: (3 * bits + 7) // 8]
    header = struct.pack(">IIBBBBB", 3, 2, bits, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * 2)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    (masks / "part" / "a.png").write_bytes(png)
    _, mask = next(iter(image_masks(images, masks)))
    assert mask[0].tolist() == [[0, 1, 3], [0, 1, 3]]


def test_files_that_are_no_photographs_are_passed_over(folders):
    images, masks, _ = folders
    (images / "part" / "README.pdf").write_bytes(b"%PDF")
    assert len(image_masks(images, masks)) == 3


def test_photograph_without_an_agreed_white_is_refused_with_its_name(folders):
    images, masks, _ = folders
    Image.fromarray(np.zeros((2, 3), np.float32)).save(images / "part" / "a.tiff")
    (images / "part" / "a.png").unlink()
    with pytest.raises(ValueError, match=r"a\.tiff cannot be used: floating-point pixels"):
        list(image_masks(images, masks))
