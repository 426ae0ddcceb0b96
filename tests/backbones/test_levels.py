import keras
import keras_hub
import numpy as np
import pytest

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
