"""LiteRT and ONNX files compute what the exporting network does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.export import ExportError, export_litert, export_onnx
from harl_tf.export.agreement import check_agreement
from tests.export.networks import BACKBONES

WRITERS = {".tflite": export_litert, ".onnx": export_onnx}
IMAGE = np.random.default_rng(1).uniform(0, 255, (1, 64, 64, 3)).astype("float32")


def litert(path) -> dict[str, np.ndarray]:
    """The maps, by a fresh interpreter."""
    run = tf.lite.Interpreter(model_path=str(path)).get_signature_runner()
    return run(images=IMAGE)


def onnx(path) -> dict[str, np.ndarray]:
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(None, {"images": IMAGE}), strict=True))


@pytest.mark.parametrize(("ending", "read"), [(".tflite", litert), (".onnx", onnx)])
@pytest.mark.parametrize("kind", ["small", pytest.param("hub", marks=pytest.mark.slow)])
def test_file_computes_the_same_maps(tmp_path, kind, ending, read):
    if ending == ".onnx":
        pytest.importorskip("tf2onnx")
    backbone = BACKBONES[kind]()
    found = read(WRITERS[ending](backbone, tmp_path / f"backbone{ending}", image_size=64))
    expected = backbone(IMAGE)
    assert sorted(found) == sorted(expected)
    for level, features in expected.items():
        np.testing.assert_allclose(found[level], features, atol=1e-4)


@pytest.mark.slow
def test_backbone_loaded_in_half_precision_is_written_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    backbone = BACKBONES["small"]()
    assert backbone(IMAGE)["P4"].dtype == "bfloat16"
    found = litert(export_litert(backbone, tmp_path / "backbone.tflite", image_size=64))
    assert found["P4"].dtype == np.float32


def test_network_that_cannot_be_converted_is_one_sentence(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no kernel for this\nand that")

    monkeypatch.setattr(keras.Model, "export", fail)
    words = r"cannot be converted to backbone\.tflite: no kernel for"
    with pytest.raises(ExportError, match=words):
        export_litert(BACKBONES["small"](), tmp_path / "backbone.tflite", image_size=64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", WRITERS)
def test_path_has_the_right_ending(tmp_path, ending):
    with pytest.raises(ExportError, match=f"Expected a path that ends in {ending}"):
        WRITERS[ending](BACKBONES["small"](), tmp_path / "backbone.bin")


def test_network_of_another_size_is_refused(tmp_path):
    image = keras.Input((32, 32, 3))
    network = keras.Model(image, {"P1": keras.layers.Conv2D(4, 3, strides=2)(image)})
    with pytest.raises(ExportError, match="Expected image_size=32"):
        export_litert(network, tmp_path / "backbone.tflite", image_size=64)
    assert list(tmp_path.iterdir()) == []


def test_onnx_without_its_packages_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("harl_tf.export.onnx.importlib.util.find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"tf2onnx and onnxruntime.*harl_tf\[onnx\]"):
        export_onnx(BACKBONES["small"](), tmp_path / "backbone.onnx")


@pytest.mark.parametrize(("factor", "agrees"), [(1.0, True), (1.00009, True), (1.0003, False)])
def test_difference_of_a_ten_thousandth_is_allowed(factor, agrees):
    """Relative to the largest value, which is off by the factor itself."""
    backbone = BACKBONES["small"]()

    def other(images):
        return {level: factor * np.asarray(each) for level, each in backbone(images).items()}

    if agrees:
        check_agreement(backbone, other, 32, "It")
    else:
        with pytest.raises(ExportError, match="It computes another map P1"):
            check_agreement(backbone, other, 32, "It")


def test_missing_map_is_named():
    with pytest.raises(ExportError, match="It lacks the map P1"):
        check_agreement(BACKBONES["small"](), lambda images: {}, 32, "It")
