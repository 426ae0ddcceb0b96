import keras
import keras_hub
import numpy as np
import pytest

from mask_generation.networks.feature_maps import feature_network
from mask_generation.networks.opening import ModelError


def _pools(*strides: int, size: tuple[int | None, int | None] = (None, None)) -> keras.Model:
    """A "backbone" whose channels are the mean colors of its cells, one map a stride."""
    image = keras.Input((*size, 3))
    maps = {
        f"M{index}": keras.layers.AveragePooling2D(stride)(image)
        for index, stride in enumerate(strides)
    }
    return keras.Model(image, maps)


def _noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _cells(model, rgb, size=64, level=None):
    return feature_network(model).cells(rgb, size, level)


def test_cells_are_the_mean_colors_of_the_image():
    rgb = _noise(64, 64)
    expected = rgb.reshape(4, 16, 4, 16, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(_cells(_pools(16), rgb), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("strides", "level", "grid"),
    [
        ((4, 8, 16, 32), None, 4),  # 64 / 16
        ((4, 8), None, 8),
        ((32,), None, 2),
        ((4, 8, 16, 32), "M1", 8),
    ],
)
def test_map_with_a_cell_per_sixteen_pixels_is_taken_unless_another_is_named(strides, level, grid):
    assert _cells(_pools(*strides), _noise(64, 64), level=level).shape == (grid, grid, 3)


def test_deepest_of_several_maps_of_one_stride_is_taken():
    image = keras.Input((None, None, 3))
    cells = keras.layers.AveragePooling2D(16)(image)
    model = keras.Model(image, {"P4": cells, "P5": keras.layers.Rescaling(2.0)(cells)})
    rgb = np.full((64, 64, 3), 100, np.uint8)
    assert _cells(model, rgb).max() == 200


@pytest.mark.parametrize(
    ("shape", "size", "grid"),
    [
        ((100, 200), 320, (5, 10)),  # 160×320
        ((100, 190), 320, (5, 10)),  # 168, the nearest multiple of 32 is 160
        ((1, 2000), 320, (1, 10)),  # never less than one step
        ((30, 40), 320, (8, 10)),  # small images are enlarged: 240, between 224 and 256
    ],
)
def test_sides_are_multiples_of_thirty_two(shape, size, grid):
    assert _cells(_pools(32), _noise(*shape), size).shape[:2] == grid


def test_network_of_one_size_sees_that():
    model = _pools(16, size=(96, 48))
    assert _cells(model, _noise(50, 70), 320).shape == (6, 3, 3)


def test_dict_of_one_input_is_fed():
    image = keras.Input((None, None, 3), name="images")
    model = keras.Model({"images": image}, keras.layers.AveragePooling2D(16)(image))
    assert _cells(model, _noise(64, 64)).shape == (4, 4, 3)


def test_tokens_become_a_grid_and_the_class_is_dropped():
    vit = keras_hub.models.ViTBackbone((32, 64, 3), 16, 1, 2, 8, 16)
    cells = _cells(vit, _noise(32, 64))
    assert cells.shape == (2, 4, 8)
    batch = _noise(32, 64)[None].astype(np.float32)
    tokens = np.asarray(vit.predict_on_batch(batch))
    np.testing.assert_allclose(cells.reshape(8, 8), tokens[0, 1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("outputs", "level", "sentence"),
    [
        (
            lambda x: {"P4": keras.layers.AveragePooling2D(16)(x)},
            "P9",
            "level in .*Received: 'P9'",
        ),
        (lambda x: keras.layers.AveragePooling2D(16)(x), "P4", "a single output. Received: 'P4'"),
        (
            lambda x: keras.layers.GlobalAveragePooling2D()(x),
            None,
            "a feature map of shape",
        ),
        (
            lambda x: {"p": keras.layers.GlobalAveragePooling2D()(x)},
            None,
            "'p'.*none of that shape",
        ),
        (lambda x: keras.layers.Reshape((-1, 3))(x), None, "Expected `patch_size` on"),
    ],
)
def test_network_without_the_map_is_a_sentence(outputs, level, sentence):
    image = keras.Input((64, 64, 3))
    with pytest.raises(ModelError, match=sentence):
        _cells(keras.Model(image, outputs(image)), _noise(64, 64), level=level)


def test_network_that_cannot_take_an_image_is_a_sentence():
    image = keras.Input((64, 64, 1))
    with pytest.raises(ModelError, match="cannot take an image: "):
        _cells(keras.Model(image, keras.layers.Conv2D(2, 1)(image)), _noise(64, 64))


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A small randomly initialised ResNet of KerasHub, with how it wants its pixels."""
    folder = tmp_path_factory.mktemp("preset")
    backbone = keras_hub.models.ResNetBackbone(
        [64], [7], [64, 64, 64, 64], [1, 1, 1, 1], [1, 2, 2, 2], "basic_block"
    )
    backbone.save_to_preset(folder)
    converter = keras_hub.layers.ResNetImageConverter(image_size=(64, 64), scale=1 / 255)
    converter.save_to_preset(folder)
    return folder, backbone


def test_preset_is_fed_whole_images_scaled_as_it_wants(preset):
    """A wide photograph is not cut to the square that the preset's converter would make."""
    folder, backbone = preset
    rgb = _noise(64, 128)
    cells = _cells(str(folder), rgb, size=128)
    assert cells.shape == (4, 8, 64)
    pyramid = keras.Model(backbone.input, backbone.pyramid_outputs)
    expected = pyramid.predict_on_batch(rgb[None].astype(np.float32) / 255)["P4"][0]
    np.testing.assert_allclose(cells, expected, rtol=1e-4, atol=1e-5)


def test_preset_is_opened_once(preset):
    assert feature_network(str(preset[0])) is feature_network(str(preset[0]))


def test_preset_that_does_not_say_how_it_wants_its_pixels_is_refused(preset, tmp_path):
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        (tmp_path / name).write_bytes((preset[0] / name).read_bytes())
    with pytest.raises(ModelError, match="has no image converter"):
        feature_network(str(tmp_path))


def test_preset_that_nobody_knows_is_a_sentence():
    with pytest.raises(ModelError, match="The preset no_such_preset cannot be opened: Unknown"):
        feature_network("no_such_preset")
