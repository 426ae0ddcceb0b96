import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.backbones import FrozenBatchNormalization, rebuild
from tests.export.finetune_without_harl_tf import OPTIMIZERS
from tests.networks import tiny_pyramid

IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 40, 48, 3)).astype("float32")


def frozen_pyramid() -> keras.Model:
    backbone = tiny_pyramid()
    backbone(IMAGES, training=True)  # moves the statistics away from 0 and 1
    return rebuild(backbone, FrozenBatchNormalization, synchronized=True)


def classifier(backbone: keras.Model) -> keras.Model:
    images = keras.Input(IMAGES.shape[1:])
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(images)["P3"])
    return keras.Model(images, keras.layers.Dense(2, dtype="float32")(pooled))


def fit(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(IMAGES, np.arange(6) % 2, batch_size=6, verbose=0)


def norms(model: keras.Model) -> dict[str, np.ndarray]:
    return {w.path: w.numpy() for w in model.weights if "normalization" in w.path}


def kernels(model: keras.Model) -> list[np.ndarray]:
    return [weight.numpy() for weight in model.weights if weight.name == "kernel"]


def two_stages(backbone: keras.Model, make) -> None:
    """Keras's guide: first the head, the backbone being frozen, then all."""
    before, first = norms(backbone), kernels(backbone)
    assert len(before) == 3 * 4  # gamma, beta, mean and variance of three layers
    model = classifier(backbone)
    backbone.trainable = False
    fit(model, make())
    for old, new in zip(first, kernels(backbone), strict=True):
        np.testing.assert_array_equal(old, new)
    backbone.trainable = True
    fit(model, make())
    assert all((old != new).any() for old, new in zip(first, kernels(backbone), strict=True))
    for path, value in norms(backbone).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frozen_normalization_stays_frozen_through_two_stages(optimizer):
    two_stages(frozen_pyramid(), OPTIMIZERS[optimizer])


def test_frozen_normalization_stays_frozen_in_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    two_stages(frozen_pyramid(), keras.optimizers.AdamW)


def test_frozen_normalization_stays_frozen_on_two_replicas(two_replicas):
    with two_replicas.scope():
        backbone = frozen_pyramid()
        two_stages(backbone, keras.optimizers.AdamW)


@pytest.mark.parametrize("copy", ["saved", "cloned", "config", "feature_pyramid"])
def test_frozen_normalization_stays_frozen_in_copies(tmp_path, copy):
    backbone = frozen_pyramid()
    if copy == "saved":
        classifier(backbone).save(tmp_path / "model.keras")
        found = keras.saving.load_model(tmp_path / "model.keras").get_layer(backbone.name)
    elif copy == "cloned":
        found = keras.models.clone_model(backbone)
        found.set_weights(backbone.get_weights())
    elif copy == "config":
        found = type(backbone).from_config(backbone.get_config())
        found.set_weights(backbone.get_weights())
    else:
        found = harl_tf.backbones.feature_pyramid(backbone)
    assert all(
        value.tolist() == other.tolist()
        for value, other in zip(norms(found).values(), norms(backbone).values(), strict=True)
    )
    two_stages(found, keras.optimizers.Adam)


def test_frozen_normalization_is_plain_and_frozen_by_flag_after_rebuild():
    """What a file for plain Keras holds."""
    plain = rebuild(frozen_pyramid(), keras.layers.BatchNormalization)
    layers = [each for each in plain._flatten_layers() if "normalization" in each.name]
    assert {type(each) for each in layers} == {keras.layers.BatchNormalization}
    assert not any(each.trainable for each in layers)
