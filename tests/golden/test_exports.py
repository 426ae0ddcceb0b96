"""Exports of earlier versions, opened through every door: the maps are those of that time.

``make_exports.py`` wrote them. A test that fails here means that files that people have no longer
open, or compute something else.
"""

import pathlib

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from tests.golden.make_exports import images

FOLDERS = sorted(pathlib.Path(__file__).parent.glob("exports_*"))


def through_preset(folder):
    backbone = keras_hub.models.Backbone.from_preset(str(folder / "preset"))
    return keras.Model(backbone.inputs, backbone.pyramid_outputs)


def through_saved_model(folder):
    loaded = tf.saved_model.load(str(folder / "backbone"))
    return lambda images: loaded.serve(images)


DOORS = {
    "load_backbone": lambda folder: harl_tf.load_backbone(folder / "backbone"),
    "keras": lambda folder: keras.saving.load_model(folder / "backbone" / "backbone.keras"),
    "saved_model": through_saved_model,
    "layer": lambda folder: keras.layers.TFSMLayer(folder / "backbone", call_endpoint="serve"),
    "preset": through_preset,
}


@pytest.mark.parametrize(
    ("folder", "door"),
    [
        pytest.param(folder, door, id=f"{folder.name}-{door}")
        for folder in FOLDERS
        for door in DOORS
        if door != "preset" or (folder / "preset").exists()  # from schema 2 on
    ],
)
def test_maps_are_those_of_the_time(folder, door):
    """Two ReLU layers after another; the largest values are a few units."""
    expected = dict(np.load(folder / "maps.npz"))
    found = DOORS[door](folder)(images())
    assert set(expected) <= set(found)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-4)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_folder_is_whole_and_small(folder):
    harl_tf.export.artifact.check(folder / "backbone")
    for part in folder.iterdir():
        files = [part, *part.rglob("*")]
        assert sum(path.stat().st_size for path in files if path.is_file()) < 300_000


def test_there_is_one_for_the_schema_of_this_version():
    schema = harl_tf.export.artifact.MODEL_SCHEMA
    assert f"exports_schema_{schema}" in [folder.name for folder in FOLDERS]
