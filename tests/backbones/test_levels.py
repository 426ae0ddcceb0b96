import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import harl_tf

IMAGES = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype("float32")
MODELS = {
    "deeplab": lambda backbone: keras_hub.models.DeepLabV3Backbone(
        image_encoder=backbone,
        projection_filters=8,
        low_level_feature_key="P2",
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[6, 12, 18],
    ),
    "retinanet": lambda backbone: keras_hub.models.RetinaNetBackbone(
        image_encoder=backbone, min_level=3, max_level=5, use_p5=False
    ),
}


def maps(output) -> list[np.ndarray]:
    return [np.asarray(each) for each in keras.tree.flatten(output)]


@pytest.mark.parametrize(
    "stride", [16, *(pytest.param(n, marks=pytest.mark.slow) for n in (8, 32))]
)
@pytest.mark.parametrize("model", MODELS)
def test_hub_model_has_maps_of_the_right_size(model, stride):
    """Whether the network has a map of stride 32 or not."""
    built = MODELS[model](harl_tf.backbones.resnet(18, output_stride=stride))
    sizes = {"deeplab": [64], "retinanet": [8, 4, 2]}[model]
    assert [each.shape[1] for each in maps(built(IMAGES))] == sizes


def test_missing_levels_are_every_second_cell():
    backbone = harl_tf.backbones.small_resnet(10, width=8)
    whole = keras.Model(backbone.input, backbone.pyramid_outputs)(IMAGES)
    assert list(whole) == ["P1", "P2", "P3", "P4", "P5"]
    np.testing.assert_array_equal(whole["P5"], np.asarray(whole["P4"])[:, ::2, ::2])


def test_maps_with_other_names_are_handed_on():
    image = keras.Input((None, None, 3))
    network = keras.Model(image, {"last": keras.layers.Conv2D(4, 3, strides=2)(image)})
    assert list(harl_tf.backbones.feature_pyramid(network).pyramid_outputs) == ["last"]


@pytest.mark.parametrize("model", MODELS)
def test_hub_model_takes_the_backbone_as_its_image_encoder(tmp_path, model):
    """And finds it again in a saved file."""
    built = MODELS[model](harl_tf.backbones.resnet(18))
    built.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for value, other in zip(maps(built(IMAGES)), maps(loaded(IMAGES)), strict=True):
        np.testing.assert_array_equal(value, other)


def test_copies_and_saved_backbones_keep_their_levels(tmp_path):
    backbone = harl_tf.backbones.resnet(18)
    backbone.save(tmp_path / "backbone.keras")
    copies = [
        keras.models.clone_model(backbone),
        keras.saving.load_model(tmp_path / "backbone.keras"),
    ]
    for copy in copies:
        assert sorted(copy.pyramid_outputs) == ["P2", "P3", "P4", "P5"]


def test_backbone_of_another_scope_is_refused_in_a_sentence():
    """Also of no scope. To compute with it there is no reason not to."""
    outside = harl_tf.backbones.small_resnet(10, width=8)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        image = keras.Input((32, 32, 3))
        with pytest.raises(ValueError, match=r"made outside of this MirroredStrategy's scope\."):
            outside(image)
        outside(IMAGES)
        harl_tf.backbones.small_resnet(10, width=8)(image)
