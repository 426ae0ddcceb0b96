import numpy as np
import pytest

from mask_generation.methods.regions import (
    REGION_METHODS,
    Felzenszwalb,
    Grid,
    RegionMap,
    Slic,
    TwoRegions,
    numbered,
    region_map,
)
from mask_generation.result import ForegroundMask


def _halves(height: int = 60, width: int = 80) -> np.ndarray:
    """Black on the left, bright red on the right."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = (250, 20, 20)
    return image


def _noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_grid_of_three_on_six_by_four_is_as_drawn_by_hand():
    """Rows 0-1, 2-3, 4-5; column j of 4 belongs to cell 3j // 4: 0, 0, 1, 2."""
    expected = [[0, 0, 1, 2]] * 2 + [[3, 3, 4, 5]] * 2 + [[6, 6, 7, 8]] * 2
    assert Grid(3)(np.zeros((6, 4, 3), np.uint8)).ids.tolist() == expected


def test_grid_finer_than_the_image_has_a_region_a_pixel():
    regions = Grid(5)(np.zeros((2, 3, 3), np.uint8))
    assert regions.ids.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert regions.count == 6


def test_default_grid_has_detcons_twenty_five_cells_of_equal_size():
    regions = region_map(_noise(100, 200), "grid")
    assert np.bincount(regions.ids.ravel()).tolist() == [20 * 40] * 25


def test_felzenszwalb_parts_two_colors_and_nothing_else():
    regions = region_map(_halves(), "felzenszwalb")
    np.testing.assert_array_equal(regions.ids, (np.arange(80) >= 40)[None].repeat(60, axis=0))


def test_felzenszwalb_of_a_large_image_has_the_small_ones_regions():
    """A 1200-pixel image is cut at 500 pixels; the border may move by a pixel of the small one."""
    regions = Felzenszwalb()(_halves(900, 1200))
    assert regions.ids.shape == (900, 1200)
    assert regions.count == 2
    assert np.abs((regions.ids == 1).mean() - 0.5) < 1 / 500


def test_more_than_256_regions_need_sixteen_bits():
    """20 cells a side are 400 regions: 8 bits would wrap around."""
    regions = Grid(20)(np.zeros((40, 40, 3), np.uint8))
    assert (regions.count, regions.ids.dtype) == (400, np.uint16)
    assert regions.ids.max() == 399
    assert Grid(16)(np.zeros((40, 40, 3), np.uint8)).ids.dtype == np.uint8


def test_more_regions_than_sixteen_bits_can_number_are_refused():
    with pytest.raises(ValueError, match=r"1 to 65,535 regions. Received: 65,536. Ask for"):
        numbered(np.arange(65_536).reshape(256, 256))
    assert numbered(np.arange(65_535).reshape(255, 257)).ids.max() == 65_534


def test_numbering_closes_gaps_and_keeps_the_order():
    regions = numbered(np.array([[9, -3, 9], [400, 400, 0]]))
    assert regions.ids.tolist() == [[2, 0, 2], [3, 3, 1]]
    assert regions.count == 4


@pytest.mark.parametrize(
    ("ids", "count", "sentence"),
    [
        (np.array([[0, 2]], np.uint8), 3, "each used. Received: 2 different ones up to 2"),
        (np.array([[0, 2]], np.uint8), 2, "from 0 to 1, each used"),
        (np.array([[0, 1]], np.int64), 2, "as uint8 of shape .* int64"),
        (np.arange(300, dtype=np.uint16) % 256, 300, "as uint16 of shape"),
        (np.zeros((0, 3), np.uint8), 1, "of shape"),
        (np.zeros((1, 1), np.uint8), 0, "1 to 65,535 regions. Received: 0"),
    ],
)
def test_map_that_is_not_whole_is_refused(ids, count, sentence):
    with pytest.raises(ValueError, match=sentence):
        RegionMap(ids, count)


def test_two_regions_are_background_and_foreground():
    def right_half(rgb):
        mask = (rgb[..., 0] > 100).astype(np.uint8)
        return ForegroundMask(mask, mask.astype(np.float32), 1.0, None)

    assert TwoRegions(right_half)(_halves()).ids[0, [0, 79]].tolist() == [0, 1]
    assert TwoRegions(right_half)(np.zeros((9, 9, 3), np.uint8)).count == 1


@pytest.mark.parametrize("name", sorted(REGION_METHODS))
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (32, 32), (16, 700), (90, 120)])
def test_every_method_numbers_any_image_without_gaps_and_again_the_same(name, size):
    image = _noise(*size)
    first, second = region_map(image, name), region_map(image.copy(), name)
    assert first.ids.shape == size
    assert np.unique(first.ids).tolist() == list(range(first.count))
    np.testing.assert_array_equal(first.ids, second.ids)


def test_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"in \['felzenszwalb', 'grid', 'slic'\]. Received: 'fh'"):
        region_map(_halves(), "fh")


def test_image_is_checked():
    with pytest.raises(ValueError, match="Expected the image as uint8"):
        region_map(np.zeros((4, 4, 3), np.float32), "grid")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Grid(0), r"cells in \[1, 255\]. Received: 0"),
        (lambda: Grid(256), "Received: 256"),
        (lambda: Felzenszwalb(scale=0), "scale > 0"),
        (lambda: Felzenszwalb(sigma=-1), "sigma=-1"),
        (lambda: Felzenszwalb(longest_side=0), "longest_side ≥ 1"),
        (lambda: Slic(regions=0), "Received: 0"),
        (lambda: Slic(compactness=0), "compactness > 0"),
    ],
)
def test_settings_without_meaning_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
