"""``python -m harl_tf export``."""

import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from harl_tf.commands import main, parse_arguments
from tests.export.networks import IMAGES, hub_resnet


def export(*words) -> int:
    return main(parse_arguments(["harl_tf", "export", *map(str, words)]))


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """An exported backbone, and its last map of the images."""
    model = harl_tf.SimCLR(hub_resnet(), hidden_units=8, projection_units=4)
    folder = tmp_path_factory.mktemp("export") / "backbone"
    return harl_tf.export_backbone(model, folder), model.backbone(IMAGES)["P5"]


def test_keras_file(backbone, tmp_path, capsys):
    out = tmp_path / "backbone.keras"
    assert export(backbone[0], out) == 0
    assert f'keras.saving.load_model("{out}")' in capsys.readouterr().out
    network = keras.saving.load_model(out)
    np.testing.assert_allclose(network(IMAGES)["P5"], backbone[1], atol=1e-5)
    assert type(network) is type(keras.Model(network.input, network.output))


def test_preset(backbone, tmp_path):
    assert export(backbone[0], tmp_path / "preset", "--image-size", 32) == 0
    converter = keras_hub.layers.ImageConverter.from_preset(str(tmp_path / "preset"))
    assert converter(IMAGES).shape[1:3] == (32, 32)


@pytest.mark.slow
def test_litert_file_has_the_size_asked_for(backbone, tmp_path):
    import tensorflow as tf

    assert export(backbone[0], tmp_path / "backbone.tflite", "--image-size", 64) == 0
    (given,) = tf.lite.Interpreter(str(tmp_path / "backbone.tflite")).get_input_details()
    assert given["shape"].tolist() == [1, 64, 64, 3]


@pytest.mark.parametrize(
    ("source", "out", "code", "words"),
    [
        ("{backbone}", "backbone.pth", 2, "Expected OUT to end in .keras, .tflite, .onnx"),
        ("no/such", "preset", 2, "There is no no/such"),
        ("{backbone}", ".", 1, "is no preset; it is left alone"),
        ("{backbone}", "{backbone}/backbone.keras", 2, "is an exported backbone; write"),
        ("{backbone}", "no/backbone.keras", 2, "There is no folder"),
    ],
)
def test_one_line_says_what_is_wrong(backbone, tmp_path, capsys, source, out, code, words):
    out = tmp_path / out.format(backbone=backbone[0])
    assert export(source.format(backbone=backbone[0]), out) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_file_is_not_written_over_itself(tmp_path, capsys):
    image = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, strides=2)(image))
    keras.Model(image, keras.layers.Dense(2)(pooled)).save(tmp_path / "whole.keras")
    content = (tmp_path / "whole.keras").read_bytes()
    path = tmp_path / "whole.keras"
    assert export(path, path, "--from-values", "raw") == 2
    assert "is what is to be exported" in capsys.readouterr().err
    assert path.read_bytes() == content
