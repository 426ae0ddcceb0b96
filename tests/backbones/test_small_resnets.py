"""Residual networks with a width and without pooling."""

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones import small_resnet


def test_has_as_many_weights_as_the_paper_s_blocks():
    """Counted by hand: a 3×3 convolution has 9·in·out weights, its normalization 2·out.

    With a width of 64 this is the number of trainable weights, 11,168,832, of the ResNet-18 that is
    commonly trained on CIFAR-10, without its classifier.
    """
    widths = (64, 128, 256, 512)
    expected = 9 * 3 * 64 + 2 * 64
    for before, width in zip((64, *widths), widths, strict=False):
        expected += 9 * before * width + 3 * 9 * width * width + 4 * 2 * width
        if before != width:
            expected += before * width + 2 * width  # the shortcut
    backbone = small_resnet(18, width=64)
    assert expected == 11_168_832
    assert sum(int(np.prod(w.shape)) for w in backbone.trainable_weights) == expected


@pytest.mark.parametrize("stem_stride", [1, 2, 4])
def test_a_level_s_number_is_the_logarithm_of_its_stride(stem_stride):
    maps = small_resnet(10, width=4, stem_stride=stem_stride)(np.zeros((1, 64, 96, 3)))
    for level, each in maps.items():
        stride = 2 ** int(level[1:])
        assert each.shape[1:3] == (64 // stride, 96 // stride)
    assert len(maps) == 4


def test_an_odd_size_is_rounded_up():
    maps = small_resnet(10, width=4)(np.zeros((1, 50, 50, 3)))
    assert [each.shape[1] for each in maps.values()] == [25, 13, 7, 4]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"depth": 20}, r"depth in \[10, 18, 34\]. Received: depth=20"),
        ({"width": 0}, "width ≥ 1 .* Received: width=0"),
        ({"stem_stride": 3}, r"stem_stride in \(1, 2, 4\). Received: .*stem_stride=3"),
    ],
)
def test_settings_that_make_no_network_are_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        small_resnet(**wrong)


@pytest.mark.slow
def test_trains_and_is_exported(tmp_path, records):
    keras.utils.set_random_seed(0)
    model = harl_tf.HARL(small_resnet(10, width=4), projection_units=8, hidden_units=16)
    model.compile(keras.optimizers.AdamW(1e-3))
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    model.fit(views, epochs=1, steps_per_epoch=2, verbose=0)
    images = np.random.default_rng(0).uniform(0, 255, (2, 40, 48, 3)).astype("float32")
    loaded = harl_tf.load_backbone(harl_tf.export_backbone(model, tmp_path / "backbone"))
    for level, expected in model.backbone(images).items():
        np.testing.assert_allclose(loaded(images)[level], expected, rtol=1e-4, atol=1e-5)
