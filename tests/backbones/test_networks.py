"""Networks that people bring: each takes a step of BYOL, whose target is a copy of it."""

import contextlib
from collections.abc import Callable

import keras
import numpy as np
import pytest

import harl_tf
from tests.backbones.small_networks import APPLICATIONS, COMPOSITE, IN_GRAPH

NETWORKS = IN_GRAPH | COMPOSITE | APPLICATIONS
CASES = [name if name == "vit" else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]


def trained(make: Callable[[], keras.Model], records, strategy=None) -> harl_tf.BYOL:
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    with strategy.scope() if strategy else contextlib.nullcontext():
        keras.utils.set_random_seed(0)
        backbone = harl_tf.backbones.feature_pyramid(make())
        model = harl_tf.BYOL(backbone, projection_units=8, hidden_units=16)
        model.compile(keras.optimizers.AdamW(1e-3))
    model.fit(views, epochs=1, steps_per_epoch=1, verbose=0)
    return model


@pytest.mark.parametrize("name", CASES)
def test_network_takes_a_step_and_is_saved_and_exported(tmp_path, records, name):
    """The same maps from the saved model and from the exported backbone."""
    model = trained(NETWORKS[name], records)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    expected = model.backbone(images)
    model.save(tmp_path / "model.keras")
    folder = harl_tf.export_backbone(model, tmp_path / "backbone")
    saved = keras.saving.load_model(tmp_path / "model.keras").backbone
    for found in (saved, harl_tf.load_backbone(folder)):
        for level, value in found(images).items():
            np.testing.assert_allclose(value, expected[level], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPOSITE)
def test_statistics_inside_composite_layers_are_those_of_the_global_batch(
    records, two_replicas, name
):
    """Of the online network and of its target, which is a copy."""
    one, two = (trained(COMPOSITE[name], records, each) for each in (None, two_replicas))
    for network in ("backbone", "target_backbone"):
        single, double = (
            [w.numpy() for w in getattr(model, network).weights if w.name == "moving_variance"]
            for model in (one, two)
        )
        assert single
        for value, other in zip(single, double, strict=True):
            np.testing.assert_allclose(value, other, rtol=2e-3)
            assert np.abs(value - 1).max() > 1e-3  # it has moved
