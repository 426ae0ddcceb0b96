import json
import shutil

import keras
import keras_hub
import numpy as np
import pytest

from mask_generation.methods.basnet import BASNet, _opened
from mask_generation.networks.opening import ModelError


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """The smallest BASNet that KerasHub builds, randomly initialised: 200 MB, removed again."""
    folder = tmp_path_factory.mktemp("basnet")
    keras.utils.set_random_seed(0)
    encoder = keras_hub.models.ResNetBackbone(
        [64], [7], [64, 64, 64, 64], [1, 1, 1, 1], [1, 2, 2, 2], "basic_block"
    )
    backbone = keras_hub.models.BASNetBackbone(encoder, num_classes=1, image_shape=(64, 64, 3))
    converter = keras_hub.layers.BASNetImageConverter(image_size=(64, 64), scale=1 / 255)
    preprocessor = keras_hub.models.BASNetPreprocessor(converter)
    keras_hub.models.BASNetImageSegmenter(backbone, preprocessor).save_to_preset(folder)
    yield folder
    _opened.cache_clear()
    shutil.rmtree(folder)


def _photograph() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 96, 3), dtype=np.uint8)


def test_mask_is_the_networks_map_cut_at_the_threshold(preset):
    rgb = _photograph()
    saliency = BASNet(preset)(rgb).saliency
    assert saliency.shape == (48, 96)
    assert 0 < saliency.min() < saliency.max() < 1
    middle = float(np.median(saliency))
    result = BASNet(preset, threshold=middle)(rgb)
    np.testing.assert_array_equal(result.mask, saliency >= middle)
    assert 0.3 < result.foreground_share < 0.7


def test_network_sees_the_whole_photograph(preset):
    """KerasHub's own converter would cut a wide one to its middle square."""
    rgb, changed = _photograph(), _photograph()
    changed[:, :16] = 0
    method = BASNet(preset)
    assert not np.array_equal(method(rgb).saliency, method(changed).saliency)


def test_pixels_are_scaled_once(preset):
    """The network's answer to pixels of 0 to 1, asked by hand."""
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    network = keras_hub.models.BASNetImageSegmenter.from_preset(str(preset))
    expected = np.asarray(network(rgb[None] / np.float32(255), training=False))[0, ..., 0]
    np.testing.assert_allclose(BASNet(preset)(rgb).saliency, expected, atol=1e-5)


def test_preset_of_another_network_is_a_sentence(preset, tmp_path):
    config = json.loads((preset / "config.json").read_text())
    config["class_name"] = "Nothing"
    config["registered_name"] = "keras_hub>Nothing"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"cannot be opened: .* Weights are a KerasHub preset"):
        BASNet(tmp_path)(_photograph())


def test_weights_that_cannot_be_had_are_a_sentence_that_says_how(monkeypatch):
    """As without a network."""

    def refuse(preset):
        raise ConnectionError("Failed to resolve 'api.kaggle.com'")

    monkeypatch.setattr(keras_hub.models.BASNetImageSegmenter, "from_preset", refuse)
    with pytest.raises(
        ModelError,
        match=r"The BASNet basnet_duts cannot be opened: Failed .*kaggle\.com/models/keras/basnet",
    ):
        BASNet("basnet_duts")(_photograph())


def test_other_files_are_refused_at_once(tmp_path):
    image = keras.Input((64, 64, 3))
    keras.Model(image, image).save(tmp_path / "my.keras")
    with pytest.raises(ModelError, match=r"Expected a KerasHub preset. Received: .*my\.keras"):
        BASNet(tmp_path / "my.keras")
    with pytest.raises(ModelError, match="There is no model no/such/folder"):
        BASNet("no/such/folder")


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0])
def test_threshold_without_meaning_is_refused(threshold):
    with pytest.raises(ValueError, match=r"Expected threshold in \(0, 1\)"):
        BASNet("basnet_duts", threshold)
