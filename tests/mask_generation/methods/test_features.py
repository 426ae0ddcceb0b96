import concurrent.futures
import multiprocessing
import pickle
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from mask_generation.foreground import foreground_mask
from mask_generation.methods.features import (
    CUTS,
    FeatureCut,
    foreground_side,
    normalized_cut,
    principal_component,
)
from mask_generation.networks.opening import ModelError


@pytest.fixture(scope="module")
def colors(tmp_path_factory):
    """File of a "backbone" whose channels are the mean colors of cells of 16 pixels."""
    path = tmp_path_factory.mktemp("colors") / "colors.keras"
    image = keras.Input((None, None, 3))
    keras.Model(image, {"P4": keras.layers.AveragePooling2D(16)(image)}).save(path)
    return path


def _square(color=(220, 40, 40)) -> np.ndarray:
    """A square of eight by eight cells, off the center, in 20 by 20 cells."""
    image = np.full((320, 320, 3), 60, np.uint8)
    image[64:192, 128:256] = color
    return image


def _two_blocks() -> np.ndarray:
    cells = np.zeros((4, 5, 2))
    cells[1:3, 1:4] = (3.0, 4.0)
    return cells


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("color", [(220, 40, 40), (0, 0, 0)])
def test_square_is_the_foreground_whether_bright_or_dark(colors, cut, color):
    """The enlarged map is halfway at the square's edge, give or take half a cell of 16."""
    rgb = _square(color)
    mask = foreground_mask(rgb, FeatureCut(colors, cut=cut)).mask == 1
    square = (rgb != 60).any(axis=-1)
    assert (mask & square).sum() / (mask | square).sum() > 0.85
    assert not mask[:48].any()
    assert mask[80:176, 144:240].all()


def test_normalized_cut_of_two_blocks_is_as_computed_by_hand():
    """6 cells of one kind and 14 of another: the vector is constant on each, and its sum weighted
    by the cells' degrees is zero. Degrees: 6 + 14ε and 14 + 6ε.
    """
    parted = normalized_cut(_two_blocks())
    inside = _two_blocks()[..., 0] > 0
    assert np.ptp(parted[inside]) < 1e-9
    assert np.ptp(parted[~inside]) < 1e-9
    ratio = -parted[inside][0] / parted[~inside][0]
    assert ratio == pytest.approx(14 * (14 + 6e-5) / (6 * (6 + 14e-5)), rel=1e-6)


def test_principal_component_of_two_blocks_is_as_computed_by_hand():
    """5 apart; the mean is at 6/20 of the way, so the sides are at 1.5 and 3.5 from it."""
    parted = np.abs(principal_component(_two_blocks()))
    inside = _two_blocks()[..., 0] > 0
    np.testing.assert_allclose(parted[inside], 3.5)
    np.testing.assert_allclose(parted[~inside], 1.5)


@pytest.mark.parametrize("part", [normalized_cut, principal_component])
@pytest.mark.parametrize(
    "cells", [np.full((3, 4, 2), 7.3), np.zeros((3, 4, 2)), np.ones((1, 1, 5))]
)
def test_cells_that_are_all_alike_are_not_parted(part, cells):
    assert not part(cells).any()
    assert not foreground_side(part(cells)).any()


def test_sign_of_the_map_has_no_meaning():
    parted = np.random.default_rng(0).normal(size=(5, 6))
    np.testing.assert_allclose(foreground_side(parted), foreground_side(-parted), atol=1e-6)


def test_without_an_inside_the_rarer_side_is_foreground():
    """Two rows are all border, which tells nothing."""
    expected = [[0, 0, 0], [0, 0, 1]]
    for sign in (1.0, -1.0):
        parted = sign * np.array([[2.0, 2.0, 2.0], [2.0, 2.0, 5.0]])
        assert foreground_side(parted).tolist() == expected


def test_image_whose_cells_are_all_alike_is_flagged(colors):
    """Stripes of half a cell: every cell has the same mean color."""
    rgb = np.zeros((320, 320, 3), np.uint8)
    rgb[np.arange(320) // 8 % 2 == 1] = 200
    assert foreground_mask(rgb, FeatureCut(colors)).flag == "flat image"


@pytest.mark.parametrize("size", [(16, 16), (16, 500), (300, 40), (33, 65)])
def test_result_has_the_size_of_the_image(colors, size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    result = FeatureCut(colors)(rgb)
    assert result.mask.shape == result.saliency.shape == size
    assert np.isfinite(result.saliency).all()


def test_backbone_at_hand_may_be_given(colors):
    rgb = _square()
    at_hand = FeatureCut(keras.saving.load_model(colors))(rgb)
    np.testing.assert_array_equal(at_hand.mask, FeatureCut(colors)(rgb).mask)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An exported backbone, a map of 16 channels with a cell per 8 pixels its coarsest."""
    import harl_tf
    from tests.networks import tiny_hapicl

    return harl_tf.export_backbone(tiny_hapicl(), tmp_path_factory.mktemp("export") / "backbone")


def _threads() -> int:
    return tf.config.threading.get_intra_op_parallelism_threads()


def _has_harl_tf() -> bool:
    return "harl_tf" in sys.modules


@pytest.mark.slow
def test_worker_gives_the_same_mask_on_one_thread_and_opens_exports_without_harl_tf(
    colors, exported
):
    rgb, method = _square(), FeatureCut(colors)
    assert len(pickle.dumps(method)) < 500
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        theirs = pool.submit(method, rgb).result(timeout=120)
        threads = pool.submit(_threads).result(timeout=120)
        of_export = pool.submit(FeatureCut(exported, level="P3"), rgb).result(timeout=120)
        has_harl_tf = pool.submit(_has_harl_tf).result(timeout=120)
    np.testing.assert_array_equal(theirs.saliency, method(rgb).saliency)
    assert threads == 1
    assert 0 < of_export.foreground_share < 1
    assert not has_harl_tf


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"cut": "ncut"}, "cut in .* Received: 'ncut'"), ({"size": 31}, "size ≥ 32")],
)
def test_settings_without_meaning_are_refused(colors, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        FeatureCut(colors, **options)


def test_missing_model_is_known_at_once():
    with pytest.raises(ModelError, match="There is no model no/such/backbone"):
        FeatureCut("no/such/backbone")
