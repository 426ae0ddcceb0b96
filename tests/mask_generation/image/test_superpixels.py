import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from mask_generation.image.superpixels import measure, superpixels


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_photographs_are_cut_into_about_as_many_connected_pieces_as_asked(name):
    image = getattr(data, name)()[::3, ::3]
    parts = superpixels(np.ascontiguousarray(image), segments=200)
    assert 130 <= len(parts.area) <= 260
    for piece in range(len(parts.area)):
        assert ndimage.label(parts.labels == piece)[1] == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 5), (4, 400), (400, 4), (16, 16)])
def test_labels_have_no_gaps_whatever_the_shape(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    parts = superpixels(image)
    assert parts.labels.shape == shape
    np.testing.assert_array_equal(np.unique(parts.labels), np.arange(len(parts.area)))


def test_measures_of_a_hand_made_cut():
    labels = np.array([[0, 0, 1], [0, 2, 1], [3, 3, 3]])
    lab = np.arange(27, dtype=float).reshape(3, 3, 3)
    parts = measure(labels, lab)
    assert parts.area.tolist() == [3, 2, 1, 3]
    np.testing.assert_allclose(parts.color[0], lab[[0, 0, 1], [0, 1, 0]].mean(axis=0))
    np.testing.assert_allclose(parts.center[1], [0.5 / 3, 2 / 3])
    touching = {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    assert {(a, b) for a, b in np.argwhere(parts.touching) if a < b} == touching
    assert [edge.tolist() for edge in parts.edges] == [[0, 1], [3], [0, 3], [1, 3]]
    assert parts.on_border.tolist() == [True, True, False, True]


def test_same_image_gives_the_same_pieces():
    image = np.ascontiguousarray(data.coffee()[::4, ::4])
    first, second = superpixels(image), superpixels(image.copy())
    np.testing.assert_array_equal(first.labels, second.labels)
