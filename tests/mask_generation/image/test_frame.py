import numpy as np
import pytest

from mask_generation.image.frame import frame_widths


def scene(height: int = 80, width: int = 120) -> np.ndarray:
    """Blotches of many colors: no line of it has one color."""
    coarse = np.random.default_rng(3).integers(0, 200, (height // 8, width // 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)


@pytest.mark.parametrize("color", [0, 255])
def test_bands_of_any_width_up_to_an_eighth_are_found_on_their_sides(color):
    image = scene()
    image[:3] = image[-5:] = color
    image[:, :2] = image[:, -7:] = color
    assert frame_widths(image) == (3, 5, 2, 7)


def test_scene_without_frame_has_none():
    assert frame_widths(scene()) == (0, 0, 0, 0)


def test_band_wider_than_an_eighth_is_part_of_the_scene():
    image = scene()
    image[:10] = 255  # 10 of 80 rows: where a frame may end, this one has not
    assert frame_widths(image) == (0, 0, 0, 0)


def test_even_sky_that_ends_softly_is_no_frame():
    image = scene()
    image[:30] = 200
    assert frame_widths(image)[0] == 0


def test_uneven_band_is_no_frame():
    image = scene()
    image[:4] = 255
    image[:4, ::2] = 0
    assert frame_widths(image)[0] == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (16, 16), (7, 9)])
def test_small_images_have_no_frame(size):
    assert frame_widths(np.full((*size, 3), 255, np.uint8)) == (0, 0, 0, 0)
