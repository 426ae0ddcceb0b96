import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones import FrozenBatchNormalization
from harl_tf.backbones.batch_norm_layers import batch_normalizations
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
