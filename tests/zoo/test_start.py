"""Weights from every kind of source, and sentences on everything else."""

import json
import warnings

import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones import FrozenBatchNormalization, feature_pyramid
from harl_tf.backbones.batch_norm_layers import batch_normalizations
from harl_tf.zoo import StartError, open_backbone, open_start
from tests.backbones import small_networks
from tests.networks import tiny_hapicl

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return tiny_hapicl()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """A run with a backbone in it."""
    run = tmp_path_factory.mktemp("start") / "run"
    harl_tf.export_backbone(model, run / "backbone")
    (run / "run.json").write_text("{}")
    (run / "recipe.txt").write_text("")
    return run


def assert_same_maps(found, expected):
    assert sorted(found) == sorted(expected)
    for level in found:
        np.testing.assert_allclose(found[level], expected[level], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("inside", ["", "backbone"])
def test_export_and_run(folder, model, inside):
    backbone = open_backbone(folder / inside)
    assert_same_maps(backbone(IMAGES), model.backbone(IMAGES))
    assert all(layer.trainable for layer in backbone.layers)


@pytest.mark.parametrize("make", ["resnet_vd", "densenet", "vit", "efficientnet_v2"])
def test_preset_with_its_image_converter(make, tmp_path):
    """A converter to 0–1; the maps are those of the network on what it makes."""
    network = {**small_networks.IN_GRAPH, **small_networks.COMPOSITE}[make]()
    network.save_to_preset(tmp_path / "preset")
    converter = {
        "module": "keras_hub.src.layers.preprocessing.image_converter",
        "class_name": "ImageConverter",
        "config": {"scale": [1 / 255, 1 / 51, 1 / 255], "offset": [0.0, -1.0, 0.5]},
        "registered_name": "keras_hub>ImageConverter",
    }
    with pytest.raises(StartError, match="does not say which pixel values"):
        open_start(tmp_path / "preset")
    (tmp_path / "preset" / "image_converter.json").write_text(json.dumps(converter))
    images = IMAGES[:, :32, :32] if make == "vit" else IMAGES
    start = open_start(tmp_path / "preset")
    assert "KerasHub preset" in start.words
    assert not start.assumed
    scaled = images * [1 / 255, 1 / 51, 1 / 255] + [0.0, -1.0, 0.5]
    if make == "efficientnet_v2":
        last = list(start.backbone()(images).values())[-1]
        np.testing.assert_allclose(last, network(scaled), rtol=1e-3, atol=1e-4)
    else:
        assert_same_maps(start.backbone()(images), feature_pyramid(network, mean=None)(scaled))


def test_whole_model_of_keras_applications(tmp_path):
    """With its classifier, for images of 224 pixels; 64 will do, too."""
    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNet(weights=None, alpha=0.25, name="mobilenet_0.25_224")
    network.save(tmp_path / "mobilenet.keras")
    with pytest.warns(UserWarning, match="signed, assumed, as mobilenet_0.25_224 of keras.appl"):
        backbone = open_backbone(tmp_path / "mobilenet.keras")
    assert list(backbone.output) == ["P1", "P2", "P3", "P4", "P5"]
    assert backbone(IMAGES)["P5"].shape == (2, 2, 2, 256)
    last = keras.Model(network.input, network.get_layer("conv_pw_13_relu").output)
    images = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype("float32")
    expected = last(keras.applications.mobilenet.preprocess_input(images.copy()))
    np.testing.assert_allclose(backbone(images)["P5"], expected, rtol=1e-3, atol=1e-5)


def test_frozen_batch_normalization_stays_and_the_rest_is_trained(folder, tmp_path):
    frozen = harl_tf.load_backbone(folder / "backbone", train_batch_norm=False)
    frozen.trainable = False
    frozen.save(tmp_path / "frozen.keras")
    backbone = open_backbone(tmp_path / "frozen.keras")
    assert {type(layer) for layer in batch_normalizations(backbone)} == {FrozenBatchNormalization}
    assert {weight.name for weight in backbone.trainable_variables} == {"kernel"}
    assert_same_maps(backbone(IMAGES), frozen(IMAGES))


def test_copies_follow_the_policy_and_the_strategy(folder, two_replicas):
    start = open_start(folder)
    keras.config.set_dtype_policy("mixed_bfloat16")
    with two_replicas.scope():
        backbone = start.backbone(name="mine")
    assert backbone.name == "mine"
    assert backbone(IMAGES)["P3"].dtype == "bfloat16"
    assert {weight.dtype for weight in backbone.weights} == {"float32"}
    assert {layer.synchronized for layer in batch_normalizations(backbone)} == {True}


def test_digest_is_that_of_weights_and_values(folder, model, tmp_path):
    digest = open_start(folder).digest()
    assert open_start(folder / "backbone").digest() == digest
    image = keras.Input((None, None, 3))
    network = keras.Model(image, {"P1": keras.layers.Conv2D(2, 3, strides=2)(image)})
    digests = set()
    for values in ("raw", "signed", "unit"):
        network.save(tmp_path / "a.keras")
        digests.add(open_start(tmp_path / "a.keras", values).digest())
    network.set_weights([weight + 1 for weight in network.get_weights()])
    network.save(tmp_path / "a.keras")
    digests.add(open_start(tmp_path / "a.keras", "raw").digest())
    assert len(digests) == 4


def bert(path):
    network = keras_hub.models.BertBackbone(
        vocabulary_size=8, num_layers=1, num_heads=1, hidden_dim=4, intermediate_dim=4
    )
    network.save_to_preset(path)


def unknown(path):
    image = keras.Input((32, 32, 3))
    keras.Model(image, keras.layers.Conv2D(4, 3, strides=2)(image)).save(path)


def dense(path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)


def weights(path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save_weights(path.with_name("a.weights.h5"))
    path.with_name("a.weights.h5").rename(path)


def without_weights(path):
    small_networks.IN_GRAPH["densenet"]().save_to_preset(path)
    (path / "model.weights.h5").unlink()


def run(path):
    path.mkdir()
    (path / "run.json").write_text("{}")
    (path / "recipe.txt").write_text("")


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("none", None, "There is no .*none, neither as a file or folder nor as a preset"),
        ("a.weights.h5", weights, "holds weights without their network"),
        ("weights.h5", weights, r"weights\.h5 cannot be read: "),
        ("a.keras", lambda path: path.write_text("no zip"), r"a\.keras cannot be read: "),
        ("a.txt", lambda path: path.write_text(""), r"a\.txt is not a \.keras file"),
        ("folder", lambda path: path.mkdir(), "folder holds no backbone. Expected a folder of"),
        ("run", run, "is a run that has no backbone yet"),
        ("preset", without_weights, "preset cannot be read: "),
        ("nope://preset", None, r"nope://preset cannot be read: Unknown preset identifier"),
        ("bert", bert, "'bert_backbone' is no network of RGB images"),
        ("dense.keras", dense, "is no network of RGB images"),
        ("unknown.keras", unknown, "does not say which pixel values .*--from-values"),
    ],
)
def test_what_is_no_backbone_is_said_in_a_sentence(name, make, sentence, tmp_path):
    source = name if "://" in name else tmp_path / name
    if make is not None:
        make(source)
    with pytest.raises(StartError, match=sentence) as refused:
        open_backbone(source)
    assert "\n" not in str(refused.value)


def test_damaged_export_is_named(folder, tmp_path, model):
    harl_tf.export_backbone(model, tmp_path / "backbone")
    (tmp_path / "backbone" / "backbone.keras").write_bytes(b"")
    with pytest.raises(StartError, match=r"backbone\.keras has changed since the export"):
        open_backbone(tmp_path / "backbone")


def test_values_that_do_not_go_with_the_network(folder, tmp_path):
    with pytest.raises(StartError, match="begins with a layer that rescales"):
        open_backbone(folder, values="signed")
    with pytest.raises(StartError, match="Expected values as one of raw, unit"):
        open_backbone(folder, values="bgr")


def test_values_that_are_given_are_no_assumption(tmp_path):
    unknown(tmp_path / "a.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        backbone = open_backbone(tmp_path / "a.keras", values="unit")
    assert list(backbone.output) == ["P1"]


def nested(tmp_path, base, first=None):
    """A model as a user saves it: a base in it, and a head."""
    image = keras.Input((64, 64, 3))
    maps = base(image if first is None else first(image))
    last = list(maps.values())[-1] if isinstance(maps, dict) else maps
    x = keras.layers.GlobalAveragePooling2D()(last)
    path = tmp_path / "whole.keras"
    keras.Model(image, keras.layers.Dense(3)(x)).save(path)
    return path


def test_classifier_around_a_backbone_gives_it_back(tmp_path):
    """The README's own model; the maps are those of the backbone in it."""
    backbone = harl_tf.backbones.small_resnet(10, width=8)
    start = open_start(nested(tmp_path, backbone, keras.layers.RandomFlip("horizontal")))
    assert not start.assumed
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    found = start.backbone()(images)
    for level, expected in backbone(images).items():
        np.testing.assert_allclose(found[level], expected, atol=1e-5)


def test_network_of_keras_applications_within_a_model_is_found(tmp_path):
    base = keras.applications.MobileNetV2(alpha=0.35, weights=None, include_top=False)
    words = open_start(nested(tmp_path, base)).words
    assert "maps P1, P2, P3, P4, P5; pixel values: signed, assumed" in words


def test_sequential_model_is_found(tmp_path):
    layers = keras.layers
    stack = [layers.Rescaling(1 / 255), layers.Conv2D(4, 3, strides=2), layers.Flatten()]
    keras.Sequential([keras.Input((32, 32, 3)), *stack]).save(tmp_path / "whole.keras")
    assert "maps P1; pixel values: raw" in open_start(tmp_path / "whole.keras").words


def test_preprocessing_in_the_graph_is_not_done_again(tmp_path):
    """By its name it takes values of -1 to 1, but it makes them itself."""
    family = keras.applications.mobilenet_v2
    image = keras.Input((64, 64, 3))
    given = {"input_tensor": family.preprocess_input(image), "weights": None}
    family.MobileNetV2(alpha=0.35, include_top=False, **given).save(tmp_path / "whole.keras")
    with pytest.raises(StartError, match="does not say which pixel values"):
        open_start(tmp_path / "whole.keras")
    assert open_start(tmp_path / "whole.keras", values="raw").network.output


def test_maps_of_a_dict_are_for_images_of_any_size(tmp_path):
    image = keras.Input((64, 64, 3))
    cells = keras.layers.Conv2D(4, 3, strides=8, padding="same")(image)
    keras.Model(image, {"P3": cells}).save(tmp_path / "maps.keras")
    assert open_start(tmp_path / "maps.keras", values="raw").network.inputs[0].shape[1] is None
