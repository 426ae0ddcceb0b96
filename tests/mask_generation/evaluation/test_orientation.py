"""Boxes and masks of photographs that are stored on their side."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from mask_generation.evaluation.evaluate import evaluate
from mask_generation.evaluation.orientation import turned, turned_with_photograph
from mask_generation.evaluation.truth import Truth

STORED = (40, 30)
BOX = (4, 2, 11, 7)


def _stored(orientation: int) -> Image.Image:
    """A gray image with a bright box, and the orientation in its metadata."""
    pixels = np.full((STORED[1], STORED[0], 3), 60, np.uint8)
    left, top, right, bottom = BOX
    pixels[top : bottom + 1, left : right + 1] = (230, 60, 40)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    return image


def _save(folder, orientation: int) -> str:
    image = _stored(orientation)
    image.save(folder / "a.png", exif=image.getexif())
    return str(folder / "a.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_box_is_turned_as_pillow_turns_the_photograph(tmp_path, orientation):
    with Image.open(_save(tmp_path, orientation)) as image:
        bright = np.asarray(ImageOps.exif_transpose(image))[..., 0] > 200
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    expected = (columns[0], rows[0], columns[-1], rows[-1])
    assert turned(BOX, orientation, *STORED) == expected


@pytest.mark.parametrize(
    ("size", "box", "is_turned"),
    [
        (STORED, BOX, True),
        (STORED[::-1], BOX, False),
        (None, BOX, False),  # it fits both ways
        (None, (31, 2, 38, 7), True),  # 30 pixels wide when upright
    ],
)
def test_boxes_are_turned_if_they_are_of_the_stored_photograph(tmp_path, size, box, is_turned):
    truth = Truth("a.png", _save(tmp_path, 6), boxes=(box,), size=size)
    found = turned_with_photograph(truth, *STORED[::-1])
    assert found.boxes == ((turned(box, 6, *STORED) if is_turned else box),)


@pytest.mark.parametrize("where", ["tag of its own", "as stored", "as shown"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_mask_is_scored_where_its_photograph_shows_the_object(tmp_path, orientation, where):
    """Drawn on the stored pixels with or without a tag, or on the upright photograph.

    Without a tag a mask of the stored shape is turned with its photograph; one that has both shapes
    counts as drawn on what is shown.
    """
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    image = _stored(orientation).resize((160, 120), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "images" / "a.png", exif=exif)
    mask = Image.fromarray((np.asarray(image)[..., 0] > 200).astype(np.uint8) * 255)
    if where == "tag of its own":
        mask.save(tmp_path / "masks" / "a.png", exif=exif)
    elif where == "as stored" and orientation == 6:
        mask.save(tmp_path / "masks" / "a.png")
    else:
        with Image.open(tmp_path / "images" / "a.png") as shown:
            upright = np.asarray(ImageOps.exif_transpose(shown))[..., 0] > 200
        Image.fromarray(upright.astype(np.uint8)).save(tmp_path / "masks" / "a.png")
    (score,) = evaluate(tmp_path, "balanced", progress=False).scores
    assert score.iou > 0.8


def test_void_is_not_scored(tmp_path):
    """Half of the object is void: found whole, it is found as drawn."""
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    image = _stored(1).resize((160, 120), Image.Resampling.NEAREST)
    image.save(tmp_path / "images" / "a.png")
    labels = np.where(np.asarray(image)[..., 0] > 200, 3, 0).astype(np.uint8)
    rows = np.flatnonzero(labels.any(axis=1))
    labels[rows[len(rows) // 2] :][labels[rows[len(rows) // 2] :] > 0] = 255
    Image.fromarray(labels).save(tmp_path / "masks" / "a.png")
    (score,) = evaluate(tmp_path, "balanced", progress=False).scores
    assert score.iou > 0.8
