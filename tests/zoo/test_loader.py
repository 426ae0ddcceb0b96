import json
import re
import shutil

import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones import FrozenBatchNormalization
from harl_tf.backbones.batch_norm_layers import batch_normalizations
from harl_tf.export import ExportError, artifact
from harl_tf.export.checksums import write_checksums
from tests.backbones.small_networks import hgnet
from tests.networks import tiny_hapicl

IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 40, 48, 3)).astype("float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return harl_tf.export_backbone(tiny_hapicl(), tmp_path_factory.mktemp("zoo") / "backbone")


@pytest.mark.parametrize("synchronized", [True, False])
def test_loaded_batch_norm_that_is_not_trained_is_frozen_for_good(folder, synchronized):
    """The layer is tested in ``tests/backbones/test_frozen.py``."""
    backbone = harl_tf.load_backbone(folder, train_batch_norm=False, synchronized=synchronized)
    backbone.trainable = False
    backbone.trainable = True
    layers = batch_normalizations(backbone)
    assert {type(layer) for layer in layers} == {FrozenBatchNormalization}
    assert {layer.synchronized for layer in layers} == {synchronized}
    assert {weight.name for weight in backbone.trainable_variables} == {"kernel"}


def test_two_loaded_backbones_fit_into_one_model_under_their_own_names(folder, tmp_path):
    """And are trained and saved in it."""
    first, second = (harl_tf.load_backbone(folder, name=name) for name in ("mine", "theirs"))
    assert (first.name, second.name) == ("mine", "theirs")
    images = keras.Input(IMAGES.shape[1:])
    both = keras.layers.Concatenate()([each(images)["P3"] for each in (first, second)])
    pooled = keras.layers.GlobalAveragePooling2D()(both)
    model = keras.Model(images, keras.layers.Dense(2)(pooled))
    model.compile("adamw", "mse")
    model.fit(IMAGES, np.zeros((6, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(IMAGES), model(IMAGES), rtol=1e-5)


def test_loaded_backbone_is_an_image_encoder_of_kerashub(folder):
    """P1 to P3: 40×48 pixels at half and an eighth of the size."""
    model = keras_hub.models.DeepLabV3Backbone(
        image_encoder=harl_tf.load_backbone(folder),
        projection_filters=8,
        low_level_feature_key="P1",
        spatial_pyramid_pooling_key="P3",
        upsampling_size=4,
        dilation_rates=[6, 12, 18],
    )
    assert model(IMAGES).shape[:3] == (6, 40, 48)


def test_batch_norm_inside_composite_layers_is_not_frozen_by_itself_but_refused(tmp_path):
    backbone = harl_tf.backbones.feature_pyramid(hgnet())
    model = harl_tf.SimSiam(backbone, 16, 8)
    folder = harl_tf.export_backbone(model, tmp_path / "backbone")
    with pytest.raises(
        ValueError, match=r"Expected train_batch_norm=True .*Set backbone\.trainable = False"
    ):
        harl_tf.load_backbone(folder, train_batch_norm=False)
    assert harl_tf.load_backbone(folder)(IMAGES)["stem"].shape[1:3] == (10, 12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"PK"), "harl_tf.zoo.open_backbone"),
        (lambda path: (path / "saved_model.pb").write_bytes(b""), "a SavedModel of something else"),
        (lambda path: (path / "config.json").write_text("{}"), "A preset of KerasHub"),
        (lambda path: (path / "SHA256SUMS").write_bytes(b"\xff\xfe"), "Make one with"),
        (lambda path: None, "Make one with harl_tf.export_backbone"),
    ],
)
def test_something_else_is_told_what_it_is(tmp_path, make, words):
    path = tmp_path / "given"
    if words.startswith("harl_tf.zoo"):
        make(path)
    else:
        path.mkdir()
        make(path)
    with pytest.raises(ExportError, match="is not an exported backbone") as caught:
        harl_tf.load_backbone(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing"])
@pytest.mark.parametrize("name", ["backbone.keras", "metadata.json", "saved_model.pb"])
def test_damaged_file_is_named(folder, tmp_path, name, damage):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    content = (copy / name).read_bytes()
    if damage == "missing":
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(content[:-9] if damage == "truncated" else content[:-1] + b"?")
    with pytest.raises(ExportError, match=re.escape(name)):
        harl_tf.load_backbone(copy)


def test_file_that_this_keras_cannot_open_says_which_could(folder, tmp_path):
    """As if a later Keras had written it."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "backbone.keras").write_bytes(b"of the future")
    write_checksums(copy, artifact.CHECKSUMS)
    versions = json.loads((folder / "metadata.json").read_text())["versions"]
    with pytest.raises(ExportError, match=f"It was written with .*keras {versions['keras']}"):
        harl_tf.load_backbone(copy)


def test_export_of_a_newer_layout_is_refused(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    facts = json.loads((copy / "metadata.json").read_text())
    (copy / "metadata.json").write_text(json.dumps({**facts, "schema": 99}))
    write_checksums(copy, artifact.CHECKSUMS)
    with pytest.raises(ExportError, match="in a newer layout"):
        harl_tf.load_backbone(copy)


def test_export_of_an_older_layout_is_renamed_and_says_so(tmp_path):
    """Its last two maps have the same stride, as in a ResNet with an output stride of 16."""
    image = keras.Input((None, None, 3))
    fine = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
    coarse = keras.layers.Conv2D(6, 3, strides=2, padding="same")(fine)
    deep = keras.layers.Conv2D(8, 3, padding="same")(coarse)
    old = keras.Model(image, {"P3": fine, "P4": coarse, "P5": deep})
    folder = harl_tf.export_backbone(tiny_hapicl(), tmp_path / "backbone")
    old.save(folder / "backbone.keras")
    facts = json.loads((folder / "metadata.json").read_text())
    del facts["origin"]
    (folder / "metadata.json").write_text(json.dumps({**facts, "schema": 1}))
    write_checksums(folder, artifact.CHECKSUMS)
    with pytest.warns(UserWarning, match="here they are called by their stride, P1, P2"):
        backbone = harl_tf.load_backbone(folder)
    np.testing.assert_allclose(backbone(IMAGES)["P2"], old(IMAGES)["P5"], atol=1e-5)
