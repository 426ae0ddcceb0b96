"""Similarity of cells with the regions' means."""

import keras
import numpy as np
import pytest

from harl_tf.evaluation import similarity_maps
from harl_tf.losses import cell_labels


@pytest.fixture(scope="module")
def backbone():
    """Cells are the mean colors of 4×4 pixels, their own feature."""
    image = keras.Input((None, None, 3))
    cells = keras.layers.AveragePooling2D(4)(image)
    return keras.Model(image, {"P1": image * 2.0, "P2": cells})


def test_similarity_maps_two_colors(backbone):
    """Red foreground, green background: cosine 1 within a region, 0 across."""
    mask = np.zeros((8, 16), np.uint8)
    mask[:, :8] = 1
    image = np.zeros((8, 16, 3), np.uint8)
    image[mask == 1, 0], image[mask == 0, 1] = 200, 100
    maps = similarity_maps(backbone, image, mask)
    np.testing.assert_allclose(maps.foreground, [[1, 1, 0, 0]] * 2, atol=1e-6)
    np.testing.assert_allclose(maps.background, [[0, 0, 1, 1]] * 2, atol=1e-6)
    np.testing.assert_allclose(maps.contrast, [[1, 1, -1, -1]] * 2, atol=1e-6)


def test_similarity_maps_equal_their_definition(backbone):
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (24, 24, 3)).astype(np.uint8)
    mask = (random.random((24, 24)) < 0.5).astype(np.uint8)
    maps = similarity_maps(backbone, image, mask)
    cells = image.reshape(6, 4, 6, 4, 3).mean(axis=(1, 3))
    cells /= np.linalg.norm(cells, axis=-1, keepdims=True)
    region = cell_labels(mask[None], (6, 6)).regions.numpy().reshape(6, 6)
    for result, label in ((maps.foreground, 1), (maps.background, 0)):
        mean = cells[region == label].mean(axis=0)
        np.testing.assert_allclose(result, cells @ mean / np.linalg.norm(mean), atol=1e-5)
        assert np.abs(result).max() <= 1 + 1e-6


@pytest.mark.parametrize("value", [0, 1])
def test_similarity_maps_absent_region_is_zero(backbone, value):
    image = np.full((8, 8, 3), 50, np.uint8)
    maps = similarity_maps(backbone, image, np.full((8, 8), value, np.uint8))
    present, absent = (maps.foreground, maps.background)[:: 1 if value else -1]
    np.testing.assert_allclose(present, 1.0, atol=1e-6)
    assert not absent.any()


def test_similarity_maps_black_image_stays_finite(backbone):
    mask = np.eye(8, dtype=np.uint8)
    maps = similarity_maps(backbone, np.zeros((8, 8, 3), np.uint8), mask)
    assert np.isfinite(maps.contrast).all()


def test_similarity_maps_other_level(backbone):
    image = np.full((8, 8, 3), 50, np.uint8)
    maps = similarity_maps(backbone, image, np.ones((8, 8), np.uint8), level="P1")
    assert maps.foreground.shape == (8, 8)


def test_similarity_maps_unknown_level(backbone):
    with pytest.raises(ValueError, match=r"Expected level in \['P1', 'P2'\]. Received: level='P9'"):
        similarity_maps(backbone, np.zeros((8, 8, 3)), np.zeros((8, 8)), level="P9")
