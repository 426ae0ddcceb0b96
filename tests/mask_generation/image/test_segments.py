import numpy as np
import pytest
from skimage import data
from skimage.metrics import adapted_rand_error
from skimage.segmentation import felzenszwalb

from mask_generation.image.segments import graph_segments, slic_superpixels


def _blocks() -> np.ndarray:
    """A checkerboard of 20-pixel squares, dark and bright, one of them broken by a bright dot."""
    image = np.full((60, 80, 3), 40, np.uint8)
    rows, columns = np.mgrid[:60, :80] // 20
    image[(rows + columns) % 2 == 1] = 220
    image[5:8, 5:8] = 220
    return image


def test_graph_segments_are_what_has_one_color():
    """Twelve squares, which touch at corners only, and a dot.

    The dot of nine pixels is alone, unless segments are to have more pixels than it has.
    """
    image = _blocks()
    segments = graph_segments(image, 50.0, 0.0, 1)
    areas = np.bincount(segments.ravel())
    assert sorted(areas.tolist()) == [9, 20 * 20 - 9, *[20 * 20] * 11]
    assert areas[segments[6, 6]] == 9
    joined = graph_segments(image, 50.0, 0.0, 10)
    assert np.bincount(joined.ravel()).tolist() == [20 * 20] * 12


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_graph_segments_of_photographs_are_nearly_those_of_scikit_image(name):
    """Two programs for one algorithm; scikit-image's joins pixels across corners, too."""
    image = np.ascontiguousarray(getattr(data, name)()[::3, ::3])
    ours = graph_segments(image, 300.0, 0.8, 50)
    theirs = felzenszwalb(image, scale=300, sigma=0.8, min_size=50)
    error, _, _ = adapted_rand_error(theirs, ours)
    assert error < 0.25


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 5), (4, 400), (16, 16)])
def test_ids_have_no_gaps_whatever_the_shape(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for segments in (graph_segments(image, 100.0, 0.5, 0), slic_superpixels(image, 4, 20.0)):
        if segments is not None:
            assert segments.shape == shape
            np.testing.assert_array_equal(np.unique(segments), np.arange(segments.max() + 1))


def test_superpixels_of_one_color_are_a_lattice():
    """16 on a square of 64 pixels; a cell may be a row and a column wider or narrower."""
    superpixels = slic_superpixels(np.full((64, 64, 3), 90, np.uint8), 16, 20.0)
    sizes = np.bincount(superpixels.ravel())
    assert len(sizes) == 16
    assert 15 * 15 <= sizes.min() <= sizes.max() <= 17 * 17


def test_superpixels_of_a_narrow_image_are_no_wider_than_it():
    """One of 40 × 40 pixels in 4 × 400; larger ones than the image end the process in OpenCV."""
    superpixels = slic_superpixels(np.zeros((4, 400, 3), np.uint8), 1, 20.0)
    assert np.bincount(superpixels.ravel()).max() <= 5 * 5


def test_image_narrower_than_four_pixels_has_no_superpixels():
    assert slic_superpixels(np.zeros((3, 90, 3), np.uint8), 10, 20.0) is None
