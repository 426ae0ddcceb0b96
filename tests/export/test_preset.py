"""Presets of KerasHub, in this process and in one without harl_tf."""

import json
import pathlib
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from harl_tf.export import ExportError, export_preset
from tests.export.networks import BACKBONES, IMAGES, hub_resnet

CLASSES = {
    "hub": "ResNetBackbone",
    # KerasHub would call its last map P5, though it has a cell per 16 pixels.
    "hub of stride 16": "PyramidBackbone",
    "small": "PyramidBackbone",
}


@pytest.fixture(scope="module", params=BACKBONES)
def preset(request, tmp_path_factory):
    """A kind of backbone, one of them, and its preset."""
    backbone = BACKBONES[request.param]()
    folder = tmp_path_factory.mktemp("preset") / "preset"
    return request.param, backbone, export_preset(backbone, folder, image_size=64)


def test_preset_computes_the_same_maps(preset):
    kind, backbone, folder = preset
    hub = keras_hub.models.Backbone.from_preset(str(folder))
    assert type(hub).__name__ == CLASSES[kind]
    converter = keras_hub.layers.ImageConverter.from_preset(str(folder))
    found = keras.Model(hub.input, hub.pyramid_outputs)(converter(IMAGES))
    for level, expected in backbone(IMAGES).items():
        np.testing.assert_allclose(found[level], expected, atol=1e-4)


def test_preset_becomes_a_classifier_that_learns(preset):
    """From photographs of another size; every weight and statistic of the backbone moves."""
    classifier = keras_hub.models.ImageClassifier.from_preset(str(preset[2]), num_classes=2)
    classifier.compile(
        keras.optimizers.AdamW(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    backbone = classifier.backbone
    before = backbone.get_weights()
    photographs = np.random.default_rng(1).integers(0, 256, (4, 80, 96, 3)).astype("uint8")
    classifier.fit(photographs, np.array([0, 1, 0, 1]), batch_size=4, verbose=0)
    assert all(map(lambda old, new: np.any(old != new), before, backbone.get_weights()))


def test_preset_takes_the_precision_asked_for(preset):
    hub = keras_hub.models.Backbone.from_preset(str(preset[2]), dtype="bfloat16")
    assert hub(IMAGES).dtype == "bfloat16"


def test_preset_of_hub_class_opens_without_harl_tf(tmp_path):
    backbone = hub_resnet()
    folder = export_preset(backbone, tmp_path / "preset")
    np.save(tmp_path / "images.npy", IMAGES)
    script = pathlib.Path(__file__).with_name("open_preset_without_harl_tf.py")
    command = [sys.executable, str(script), str(folder), str(tmp_path / "images.npy")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    expected = float(np.abs(np.asarray(backbone(IMAGES)["P5"])).mean())
    assert json.loads(done.stdout.splitlines()[-1]) == pytest.approx(expected, rel=1e-4)


def test_origin_survives_an_export(tmp_path):
    model = harl_tf.SimCLR(hub_resnet(), hidden_units=8, projection_units=4)
    loaded = harl_tf.load_backbone(harl_tf.export_backbone(model, tmp_path / "backbone"))
    folder = export_preset(loaded, tmp_path / "preset")
    assert json.loads((folder / "config.json").read_text())["class_name"] == "ResNetBackbone"


def test_other_folders_are_left_alone(tmp_path):
    backbone = BACKBONES["small"]()
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ExportError, match="is no preset; it is left alone"):
        export_preset(backbone, tmp_path)
    folder = export_preset(backbone, tmp_path / "preset")
    with pytest.raises(ExportError, match="exists"):
        export_preset(backbone, folder)
    assert export_preset(backbone, folder, overwrite=True) == folder
    assert (tmp_path / "note.txt").read_text() == "mine"
