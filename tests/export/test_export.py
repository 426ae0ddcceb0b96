import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import harl_tf
from tests.networks import tiny_hapicl

IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 40, 48, 3)).astype("float32")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model whose statistics have moved, and its exported backbone."""
    model = tiny_hapicl()
    model.backbone(IMAGES, training=True)
    card = harl_tf.export.Card(data="noise", metrics={"knn": 0.5})
    folder = harl_tf.export_backbone(model, tmp_path_factory.mktemp("export") / "backbone", card)
    return model, folder


def test_saved_model_finetunes_without_harl_tf(exported, tmp_path):
    """Fresh process, plain Keras: same features, and every weight and statistic moves."""
    model, folder = exported
    features = {name: np.asarray(value) for name, value in model.backbone(IMAGES).items()}
    np.savez(tmp_path / "data.npz", images=IMAGES, **features)
    script = pathlib.Path(__file__).with_name("finetune_without_harl_tf.py")
    command = [sys.executable, str(script), str(folder), str(tmp_path / "data.npz")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    difference, weights, statistics, *counts = map(float, done.stdout.split())
    assert difference <= 1e-5
    assert weights > 0
    assert statistics > 0
    assert counts == [9, 6]  # three convolutions with kernel, gamma, beta; mean and variance each


def test_loaded_backbone_computes_the_same(exported):
    model, folder = exported
    backbone = harl_tf.load_backbone(folder)
    expected, found = model.backbone(IMAGES), backbone(IMAGES)
    assert sorted(found) == ["P1", "P2", "P3"]
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


@pytest.mark.parametrize("learn", [True, False])
def test_batch_norm_learns_only_if_asked_to(exported, learn):
    """In a functional model under fit, where training=False would be overridden."""
    backbone = harl_tf.load_backbone(exported[1], train_batch_norm=learn)
    images = keras.Input(IMAGES.shape[1:])
    outputs = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(backbone(images)["P3"]))
    classifier = keras.Model(images, outputs)
    classifier.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    weights = {weight.path: weight.numpy() for weight in backbone.weights}
    classifier.fit(IMAGES, np.arange(6) % 2, verbose=0)
    moved = {
        weight.path
        for weight in backbone.weights
        if not np.array_equal(weight.numpy(), weights[weight.path])
    }
    norms = {path for path in weights if "normalization" in path}
    assert moved == (set(weights) if learn else set(weights) - norms)


def test_loaded_backbone_takes_the_precision_asked_for(exported):
    backbone = harl_tf.load_backbone(exported[1], dtype="mixed_bfloat16")
    assert backbone(IMAGES)["P3"].dtype == "bfloat16"
    assert {str(weight.dtype) for weight in backbone.weights} == {"float32"}
    assert backbone.get_layer("normalize").compute_dtype == "float32"


def test_model_trained_in_bfloat16_is_exported_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    folder = harl_tf.export_backbone(tiny_hapicl(), tmp_path / "backbone")
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    keras.config.set_dtype_policy("float32")
    native = keras.saving.load_model(folder / "backbone.keras")
    assert {layer.compute_dtype for layer in native.layers[-1].layers} == {"float32"}


def test_saved_model_runs_in_tensorflow_at_any_size(exported):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(exported[1]))
    maps = loaded.serve(tf.zeros((1, 96, 64, 3)))
    assert maps["P3"].shape == (1, 12, 8, 16)


def test_metadata_and_card_state_input_outputs_and_settings(exported):
    facts = json.loads((exported[1] / "metadata.json").read_text())
    assert facts["method"]["class"] == "HAPiCL"
    assert facts["method"]["pixel"]["config"]["temperature"] == 0.2
    assert facts["method"]["instance"]["config"]["projection_units"] == 16
    assert facts["outputs"]["P3"]["shape"] == [None, None, None, 16]
    card = (exported[1] / "MODEL_CARD.md").read_text()
    for fact in ("noise", "| knn | 0.5 |", "serve_training", "0 to 255"):
        assert fact in card


@pytest.mark.parametrize("file", ["backbone.keras", "saved_model.pb", "metadata.json"])
def test_changed_or_missing_file_is_named(exported, tmp_path, file):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(exported[1], folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(harl_tf.export.ExportError, match=f"{file} has changed"):
        harl_tf.load_backbone(folder)
    (folder / file).unlink()
    with pytest.raises(harl_tf.export.ExportError, match=f"{file} is missing"):
        harl_tf.load_backbone(folder)


def test_existing_folder_is_kept_unless_it_is_an_export_to_overwrite(exported, tmp_path):
    model, folder = exported
    with pytest.raises(harl_tf.export.ExportError, match="exists"):
        harl_tf.export_backbone(model, folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(harl_tf.export.ExportError, match="left alone"):
        harl_tf.export_backbone(model, tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "mine" / "SHA256SUMS").write_text("of other things")
    with pytest.raises(harl_tf.export.ExportError, match=r"thesis\.txt is not part"):
        harl_tf.export_backbone(model, tmp_path / "mine", overwrite=True)
    once = harl_tf.export_backbone(model, tmp_path / "backbone")
    harl_tf.export_backbone(model, once, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backbone", "mine"]
    (tmp_path / "other.partial").mkdir()
    (tmp_path / "other.partial" / "draft.txt").write_text("kept")
    with pytest.raises(harl_tf.export.ExportError, match=r"draft\.txt is not part"):
        harl_tf.export_backbone(model, tmp_path / "other")
