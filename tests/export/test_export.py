import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.backbones.batch_norm_layers import batch_normalizations
from tests.export.finetune_without_harl_tf import OPTIMIZERS, fit, saved_model
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


FAST = ("momentum", "adamw")


@pytest.fixture(scope="module")
def finetuned(exported, tmp_path_factory, request):
    """What ``finetune_without_harl_tf.py`` prints, in a fresh process with plain Keras."""
    tests = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    names = {params["optimizer"] for params in tests if {"route", "optimizer"} <= set(params)}
    model, folder = exported
    data = tmp_path_factory.mktemp("finetune") / "data.npz"
    features = {name: np.asarray(value) for name, value in model.backbone(IMAGES).items()}
    np.savez(data, images=IMAGES, **features)
    script = pathlib.Path(__file__).with_name("finetune_without_harl_tf.py")
    command = [sys.executable, str(script), str(folder), str(data), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("route", ["native", "saved_model"])
@pytest.mark.parametrize(
    "optimizer",
    [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in OPTIMIZERS],
)
def test_export_finetunes_without_harl_tf_with_every_optimizer(finetuned, route, optimizer):
    """Same features; every weight and every statistic moves: three convolutions with kernel, gamma
    and beta, a mean and a variance each."""
    assert finetuned[route] <= 1e-5
    weights, statistics = (
        finetuned[f"{route} {optimizer}"][kind] for kind in ("weights", "statistics")
    )
    assert weights[0] > 0
    assert statistics[0] > 0
    assert (weights[2], statistics[2]) == (9, 6)


def test_saved_model_is_frozen_as_the_documents_say(finetuned):
    """Neither weights nor statistics move; each of the two arguments alone does not suffice."""
    assert finetuned["frozen"] == {"weights": [0, 0, 9], "statistics": [0, 0, 6]}
    served = finetuned["serve only"]
    assert served["weights"][0] > 0
    assert served["statistics"] == [0, 0, 6]
    flagged = finetuned["trainable false only"]
    assert flagged["weights"] == [0, 0, 9]
    assert flagged["statistics"][0] > 0


def test_state_of_an_optimizer_cannot_be_made_inside_fit_in_keras_3_15(finetuned):
    """If this fails, Keras has been mended: take ``optimizer.build`` out of the documents.

    TensorFlow ends the name of every variable in ":0", ``TFSMLayer`` keeps it, and no scope of a
    graph may be called so.
    """
    assert "is not a valid scope name" in finetuned["not built"]


def test_saved_model_stores_every_weight_once(exported):
    """And the listed variables are those that the endpoints use: 9 weights and 6 statistics."""
    folder = exported[1]
    stored = tf.train.list_variables(str(folder / "variables" / "variables"))
    assert sum(name.endswith("VARIABLE_VALUE") for name, _ in stored) == 9 + 6
    loaded = tf.saved_model.load(str(folder))
    with tf.GradientTape() as tape:
        outputs = loaded.serve_training(tf.constant(IMAGES))
        total = tf.add_n([tf.reduce_sum(value) for value in tf.nest.flatten(outputs)])
    gradients = tape.gradient(total, list(loaded.trainable_variables))
    assert len(gradients) == 9
    assert all(gradient is not None for gradient in gradients)


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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weight_that_is_not_finite_is_not_exported(tmp_path, value):
    model = tiny_hapicl()
    norm = batch_normalizations(model.backbone)[-1]
    norm.moving_variance.assign(np.full(norm.moving_variance.shape, value))
    with pytest.raises(harl_tf.export.ExportError, match=r"NaN or infinity in .*moving_variance"):
        harl_tf.export_backbone(model, tmp_path / "backbone")
    assert list(tmp_path.iterdir()) == []


def test_backbone_frozen_in_pretraining_is_exported_trainable(tmp_path):
    model = tiny_hapicl()
    model.backbone.trainable = False
    folder = harl_tf.export_backbone(model, tmp_path / "backbone")
    native = keras.saving.load_model(folder / "backbone.keras")
    assert len(native.trainable_variables) == 9


def test_model_trained_in_bfloat16_is_exported_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    folder = harl_tf.export_backbone(tiny_hapicl(), tmp_path / "backbone")
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    keras.config.set_dtype_policy("float32")
    native = keras.saving.load_model(folder / "backbone.keras")
    assert {layer.compute_dtype for layer in native.layers[-1].layers} == {"float32"}
    assert type(native) is type(keras.Model(native.input, native.output))


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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_saved_model_is_trained_by_every_optimizer_where_harl_tf_is_imported(exported, optimizer):
    """No call of ``build``; every weight and every statistic has moved after a step."""
    layer = saved_model(str(exported[1]))
    moved = fit(layer, IMAGES, OPTIMIZERS[optimizer](), build=False)
    for smallest, _, count in moved.values():
        assert count > 0
        assert smallest > 0
