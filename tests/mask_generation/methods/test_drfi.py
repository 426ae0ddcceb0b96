import pickle

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.foreground import foreground_mask
from mask_generation.methods import drfi, named
from mask_generation.methods.drfi import DRFI
from mask_generation.networks.opening import ModelError
from mask_generation.training.drfi import RegionSettings, train


def _disc(index: int) -> tuple[np.ndarray, np.ndarray]:
    """A generated photograph and its true mask: what is brighter than the ground's 70."""
    rgb = make_photograph(index)
    return rgb, rgb.max(axis=-1) > 90


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Trained on ten photographs and their masks."""
    folder = tmp_path_factory.mktemp("drfi")
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
    for index in range(10):
        rgb, mask = _disc(index)
        Image.fromarray(rgb).save(folder / "images" / f"{index}.png")
        Image.fromarray(mask.astype(np.uint8)).save(folder / "masks" / f"{index}.png")
    settings = RegionSettings(None, str(folder / "masks"), work_size=80, scales=(100.0, 400.0))
    trained, _ = train(folder / "images", settings, trees=20, progress=False)
    trained.save(folder / "drfi.json")
    return folder / "drfi.json"


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_trees_of_ten_photographs_finds_the_discs_of_others(model):
    """The constant mask scores the disc's share of the image, about .15."""
    method = DRFI(str(model))
    ours, constant = [], []
    for index in range(20, 26):
        rgb, disc = _disc(index)
        ours.append(_iou(foreground_mask(rgb, method).mask == 1, disc))
        constant.append(_iou(np.ones_like(disc), disc))
    assert np.mean(ours) > 0.8
    assert np.mean(constant) < 0.3


def test_saliency_is_the_mean_over_the_levels(model, monkeypatch):
    """With trees that answer the level's number of regions, by hand."""
    from mask_generation.drfi.pixels import segment

    class Counting:
        scales = (100.0, 400.0)

        def predict(self, features):
            return np.full(len(features), float(len(features)))

    monkeypatch.setattr(drfi, "_trees", lambda path: Counting())
    rgb, _ = _disc(0)
    counts = [len(np.unique(ids)) for ids in segment(rgb, Counting.scales)]
    assert counts[0] != counts[1]
    saliency = DRFI(str(model)).saliency(rgb)
    np.testing.assert_allclose(saliency, np.mean(counts))


def test_large_photograph_is_worked_on_small_and_answered_in_full(model):
    rgb, disc = _disc(3)
    large = np.asarray(Image.fromarray(rgb).resize((640, 480), Image.Resampling.BILINEAR))
    mask = DRFI(str(model))(large).mask
    assert mask.shape == (480, 640)
    assert _iou(mask == 1, disc.repeat(8, axis=0).repeat(8, axis=1)) > 0.75


def test_only_the_path_is_sent_to_other_processes(model):
    method = DRFI(str(model))
    sent = pickle.dumps(method)
    assert len(sent) < 500
    rgb, _ = _disc(1)
    np.testing.assert_array_equal(pickle.loads(sent)(rgb).saliency, method(rgb).saliency)


def test_two_calls_give_equal_maps(model):
    rgb, _ = _disc(2)
    method = DRFI(str(model))
    np.testing.assert_array_equal(method(rgb).saliency, method(rgb.copy()).saliency)


def test_path_may_be_a_path(model):
    assert DRFI(model) == named("drfi", str(model))


def test_missing_model_is_known_at_once():
    with pytest.raises(ModelError, match=r"cannot be opened: No such .* train-drfi PHOTOS"):
        DRFI("no/such/drfi.json")
