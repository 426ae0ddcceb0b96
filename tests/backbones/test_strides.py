"""Names of feature maps mean strides."""

import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones import feature_pyramid, strides
from harl_tf.backbones.strides import named_by_stride


def halved(image, times, padding="same"):
    """Maps of strides 2, 4, 8, ..."""
    found = []
    for _ in range(times):
        image = keras.layers.Conv2D(4, 3, strides=2, padding=padding)(image)
        found.append(image)
    return found


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("side", [None, 64, 100])
def test_wrong_names_are_mended(side, padding):
    image = keras.Input((side, side, 3))
    maps = halved(image, 4, padding)
    wrong = dict(zip(("P2", "P3", "P4", "P5"), maps, strict=True))
    assert list(named_by_stride(image, wrong).items()) == [
        (f"P{level}", each) for level, each in enumerate(maps, 1)
    ]


@pytest.mark.parametrize("side", [16, 24, 32])
def test_right_names_of_a_small_image_stay(side):
    """A map of one cell of a 16-pixel image may have any stride from 16 on."""
    image = keras.Input((side, side, 3))
    maps = {f"P{level}": each for level, each in enumerate(halved(image, 5), 1)}
    assert list(named_by_stride(image, maps)) == list(maps)


def test_names_of_another_kind_stay():
    image = keras.Input((None, None, 3))
    maps = dict(zip(("stage1", "last"), halved(image, 2), strict=True))
    assert named_by_stride(image, maps) == maps


@pytest.mark.parametrize(("stride", "levels"), [(32, "2345"), (16, "234"), (8, "23")])
def test_resnet_of_any_output_stride(stride, levels):
    backbone = harl_tf.backbones.resnet(18, output_stride=stride)
    assert strides(backbone) == {f"P{level}": 2 ** int(level) for level in levels}
    assert list(backbone.output.values())[-1].shape[-1] == 512  # the last group of blocks


def test_last_map_of_a_stride_is_kept():
    """KerasHub calls it P5, though it has as many cells as P4."""
    network = keras_hub.models.ResNetBackbone(
        **{"input_conv_filters": [64], "input_conv_kernel_sizes": [7], "block_type": "basic_block"},
        stackwise_num_filters=[64, 64, 64, 64],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 1],
    )
    images = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype("float32")
    expected = keras.Model(network.input, network.pyramid_outputs["P5"])(images)
    found = feature_pyramid(network, mean=None)(images)
    np.testing.assert_allclose(found["P4"], expected, atol=1e-5)


def test_two_maps_that_would_get_the_same_name_are_refused():
    image = keras.Input((None, None, 3))
    (cells,) = halved(image, 1)
    network = keras.Model(image, {"P1": cells, "P2": keras.layers.ReLU()(cells)})
    with pytest.raises(ValueError, match="Expected maps of different strides"):
        feature_pyramid(network)
