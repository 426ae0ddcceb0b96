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
