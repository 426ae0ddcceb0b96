import numpy as np
import pytest

from mask_generation.previews.contact_sheet import (
    draw_image,
    draw_mask,
    draw_outline,
    draw_saliency,
    draw_sheet,
)
from mask_generation.previews.pictures import Numbers, Picture


def picture(name="cat.jpg", flag="", saliency=True, value=100):
    image, mask = np.full((20, 30, 3), value, np.uint8), np.zeros((20, 30), np.uint8)
    known = np.full((20, 30), 0.5, np.float32) if saliency else None
    return Picture(name, Numbers(0, 0.9, 0.2, flag), image, mask, known)


@pytest.mark.parametrize("shape", [(4, 8), (8, 4), (1, 500)])
def test_picture_keeps_its_proportions_on_a_white_square(shape):
    tile = draw_mask(np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8), 16)
    assert tile.shape == (16, 16, 3)
    drawn = (tile != 255).all(-1)
    height, width = drawn.any(1).sum(), drawn.any(0).sum()
    assert (height, width) == tuple(max(1, round(16 * side / max(shape))) for side in shape)


@pytest.mark.parametrize("foreground", [1, 255])
def test_foreground_keeps_its_colors_inside_an_outline(foreground):
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = foreground
    tile = draw_mask(np.full((20, 20, 3), 200, np.uint8), mask, 20)
    assert (tile[10, 10] == 200).all()
    assert tuple(tile[5, 10]) == (255, 64, 0)
    assert (tile[1, 1] == int(200 * 0.35 + 255 * 0.25)).all()


@pytest.mark.parametrize("shape", [(4, 8), (80, 160)])
def test_every_drawing_has_the_longer_side_asked_for(shape):
    image, mask = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8)
    drawings = (
        draw_image(image, 16),
        draw_outline(image, mask, 16),
        draw_saliency(mask.astype(np.float32), 16),
    )
    assert [drawing.shape for drawing in drawings] == [(8, 16, 3)] * 3
    assert {drawing.dtype for drawing in drawings} == {np.dtype(np.uint8)}


def test_image_is_not_drawn_over():
    image = np.full((8, 8, 3), 200, np.uint8)
    draw_outline(image, np.zeros((8, 8), np.uint8), 8)
    assert (image == 200).all()


def test_sheet_shows_photograph_saliency_and_mask_side_by_side():
    """Squares of 32 with 4 between, from 12 on; 30 × 20 photographs fill their middle."""
    sheet = np.asarray(draw_sheet([picture()], tile=32))
    middles = [tuple(sheet[12 + 16, 12 + 36 * place + 16]) for place in range(3)]
    dimmed = int(100 * 0.35 + 255 * 0.25)
    assert middles == [(100,) * 3, (128,) * 3, (dimmed,) * 3]
    assert (sheet[12 + 16, 12 + 33] == 255).all()


def test_sheet_without_any_saliency_has_no_place_for_it():
    with_one, without = (draw_sheet([picture(saliency=known)], 32).width for known in (True, False))
    assert with_one - without == 36


def test_place_of_a_missing_saliency_stays_empty():
    sheet = draw_sheet([picture(), picture(saliency=False)], tile=32)
    column = np.asarray(sheet)[12 : 12 + 32 + 20 + 12 + 32, 12 + 36 : 12 + 36 + 32]
    assert (column[:32] != 255).any()
    assert (column[-32:] == 255).all()


def test_pictures_are_in_their_order_row_by_row():
    sheet = np.asarray(draw_sheet([picture(value=value) for value in range(10, 190, 20)], 32))
    width, height = 36 * 3 - 4 + 12, 32 + 20 + 12
    columns = (sheet.shape[1] - 12) // width
    rows = (sheet.shape[0] - 12) // height
    assert columns * rows >= 9 > columns * (rows - 1)
    found = [
        int(sheet[12 + row * height + 16, 12 + column * width + 16, 0])
        for row in range(rows)
        for column in range(columns)
    ]
    assert found[:9] == list(range(10, 190, 20))


@pytest.mark.parametrize("count", [9, 48, 100])
def test_sheet_is_about_as_wide_as_high(count):
    width, height = draw_sheet([picture()] * count, 32).size
    assert 0.6 < width / height < 1.7


def test_flag_is_written_in_red():
    caption = (slice(12 + 64, None), slice(None))
    plain, flagged = (
        np.asarray(draw_sheet([picture("a", flag)], 64))[caption].astype(int)
        for flag in ("", "flat image")
    )
    reddish = [(part[..., 0] - part[..., 1]).max() for part in (plain, flagged)]
    assert reddish[0] == 0
    assert reddish[1] > 80


def test_long_name_does_not_reach_the_next_picture():
    sheet = np.asarray(draw_sheet([picture("x" * 500), picture("y")], tile=160))
    assert (sheet[:, -12:] == 255).all()
    assert (sheet[12 + 162 : 12 + 180, 12:100] != 255).any()


@pytest.mark.parametrize(("pictures", "tile"), [([], 32), ([picture()], 15)])
def test_nothing_to_draw_is_refused(pictures, tile):
    with pytest.raises(ValueError, match="Expected at least one picture and tile ≥ 16"):
        draw_sheet(pictures, tile)
