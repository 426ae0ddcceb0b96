"""Models around a backbone, such as a classifier: what each export makes of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.export import ExportError, export_keras, export_litert, export_preset


def own_loss(truth, found):
    return keras.ops.mean((truth - found) ** 2)


def whole_classifier():
    backbone = harl_tf.backbones.small_resnet(10, width=8)
    image = keras.Input((32, 32, 3))
    *_, features = backbone(image).values()
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    return keras.Model(image, keras.layers.Dense(3)(pooled))


def test_model_with_a_loss_of_the_users_own_is_exported_without_it(tmp_path):
    """Only the network: no loss that could not be found again, no state of the optimizer."""
    model = whole_classifier()
    model.compile(keras.optimizers.AdamW(), own_loss, metrics=[own_loss])
    model.fit(np.zeros((4, 32, 32, 3)), np.zeros((4, 3)), verbose=0)
    path = export_keras(model, tmp_path / "whole.keras")
    again = keras.saving.load_model(path)
    assert not again.compiled
    one = np.ones((1, 32, 32, 3))
    np.testing.assert_allclose(again(one), model(one), rtol=1e-5)


def test_whole_classifier_goes_to_litert(tmp_path):
    """Compared with the model by the exporter itself, which has one output."""
    path = export_litert(whole_classifier(), tmp_path / "whole.tflite", 32)
    run = tf.lite.Interpreter(str(path)).get_signature_runner()
    (scores,) = run(images=np.zeros((1, 32, 32, 3), np.float32)).values()
    assert scores.shape == (1, 3)


@pytest.mark.parametrize("export", [export_preset, harl_tf.export_backbone])
def test_whole_classifier_is_no_backbone(tmp_path, export):
    with pytest.raises(ExportError, match="Expected a backbone, whose output is a dict"):
        export(whole_classifier(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_network_of_images_that_are_no_squares_is_refused(tmp_path):
    image = keras.Input((32, 48, 3))
    maps = {"P1": keras.layers.Conv2D(4, 3, strides=2)(image)}
    with pytest.raises(ExportError, match=r"a network of square images. Received: one of 32×48"):
        export_litert(keras.Model(image, maps), tmp_path / "whole.tflite", 32)


def test_card_takes_numpys_numbers(tmp_path):
    card = harl_tf.export.Card(metrics={"knn": np.float32(0.5)}, image_size=np.int64(96))
    backbone = harl_tf.backbones.small_resnet(10, width=8)
    folder = harl_tf.export_backbone(backbone, tmp_path / "out", card)
    assert harl_tf.export.card_of(folder).metrics == {"knn": 0.5}
    harl_tf.export.replace_card(folder, card)
    assert harl_tf.export.card_of(folder).image_size == 96
