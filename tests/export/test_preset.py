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
    "transformer": "PyramidBackbone",
    "small": "PyramidBackbone",
}


FAST = ("hub", "small")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=[] if kind in FAST else pytest.mark.slow) for kind in BACKBONES
    ],
)
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


@pytest.mark.slow
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
    if preset[0] == "transformer":  # its class token is not part of the map
        return
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


@pytest.mark.parametrize("kind", BACKBONES)
def test_preset_comes_back_with_the_levels_it_had(tmp_path, kind):
    """Not with those that KerasHub's detectors ask for."""
    backbone = BACKBONES[kind]()
    opened = harl_tf.zoo.open_backbone(export_preset(backbone, tmp_path / "preset"))
    assert list(opened.output) == list(backbone.output)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_backbone_of_a_run_in_mixed_precision_becomes_a_preset(tmp_path, policy):
    """KerasHub's configuration has the policy that the network was made in."""
    keras.config.set_dtype_policy(policy)
    backbone = hub_resnet()
    folder = export_preset(backbone, tmp_path / "preset")
    keras.config.set_dtype_policy("float32")
    assert keras_hub.models.Backbone.from_preset(str(folder)).dtype_policy.name == "float32"


def test_frozen_batch_normalization_is_trained_from_a_preset(tmp_path):
    model = harl_tf.SimSiam(BACKBONES["small"](), 16, 8)
    folder = harl_tf.export_backbone(model, tmp_path / "backbone")
    frozen = harl_tf.load_backbone(folder, train_batch_norm=False)
    hub = keras_hub.models.Backbone.from_preset(str(export_preset(frozen, tmp_path / "preset")))
    norms = [each for each in hub.trainable_variables if each.name == "gamma"]
    assert norms


def test_folder_with_something_else_beside_a_preset_is_left_alone(tmp_path):
    folder = export_preset(BACKBONES["small"](), tmp_path / "preset")
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(ExportError, match=r"thesis\.tex is not part of a preset"):
        export_preset(BACKBONES["small"](), folder, overwrite=True)
    assert (folder / "thesis.tex").read_text() == "mine"


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
