import json

import keras
import numpy as np
import pytest

import harl_tf
from tests.networks import hapicl, tiny_hapicl, tiny_pyramid


@pytest.fixture
def batch(records):
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    return next(iter(views.from_epoch(0)))


def test_training_lowers_both_losses(records):
    model = tiny_hapicl()
    views = harl_tf.data.PairedViews(records, batch_size=12, image_size=32)
    history = model.fit(
        views.from_epoch(0), steps_per_epoch=1, epochs=25, verbose=0, shuffle=False
    ).history
    for name in ("loss_instance", "loss_pixel"):
        assert np.mean(history[name][-5:]) < np.mean(history[name][:5]) - 0.05


def test_loss_is_the_weighted_sum_of_its_terms(batch):
    model = tiny_hapicl(pixel_weight=0.25)
    view1, view2 = model.augment(batch)
    terms = model.loss_terms(view1, view2, training=False)
    expected = terms["loss_instance"] + 0.25 * terms["loss_pixel"]
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-6)


def test_step_moves_every_trainable_weight(batch):
    model = tiny_hapicl()
    before = [value.numpy().copy() for value in model.trainable_variables]
    model.train_step(batch)
    still = [
        variable.path
        for old, variable in zip(before, model.trainable_variables, strict=True)
        if np.array_equal(old, variable.numpy())
    ]
    assert still == []


def test_pixel_weight_zero_leaves_the_pixel_head_alone(batch):
    """With weight 0 its gradient is 0, so plain SGD does not move it."""
    model = tiny_hapicl(pixel_weight=0.0)
    pixel_head = model.branches["pixel"].pixel_head
    before = [variable.numpy().copy() for variable in pixel_head.trainable_variables]
    model.train_step(batch)
    for old, variable in zip(before, pixel_head.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


def test_saved_model_comes_back_with_settings_weights_and_optimizer(batch, tmp_path):
    model = tiny_hapicl(foreground_weight=0.75, level="P2", boundary_margin=0.1)
    model.train_step(batch)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    # Through JSON, which is what the file keeps: it has lists where Python has tuples.
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert int(loaded.optimizer.iterations.numpy()) == 1
    for old, new in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())
    view1, view2 = model.augment(batch)
    before = model.loss_terms(view1, view2, training=False)["loss"]
    after = loaded.loss_terms(view1, view2, training=False)["loss"]
    np.testing.assert_array_equal(before, after)


def test_model_called_on_images_is_its_backbone():
    model = tiny_hapicl()
    images = np.full((1, 32, 32, 3), 7.0, "float32")
    np.testing.assert_array_equal(model(images)["P3"], model.backbone(images)["P3"])


def test_evaluate_does_not_change_a_weight(records):
    model = tiny_hapicl()
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    before = [value.copy() for value in model.get_weights()]
    terms = model.evaluate(views.from_epoch(0), steps=2, verbose=0, return_dict=True)
    assert sorted(terms) == sorted(model.metric_names)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_unknown_level_lists_the_backbones_maps():
    with pytest.raises(ValueError, match=r"Expected level in \['P1', 'P2', 'P3'\].*'P9'"):
        hapicl(tiny_pyramid(), level="P9")


def test_backbone_without_maps_is_refused():
    image = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="dict of feature maps"):
        harl_tf.HAPiCL(keras.Model(image, image))


def test_missing_batch_key_is_named(batch):
    del batch["mask2"]
    with pytest.raises(ValueError, match=r"Missing: mask2\. Received: \["):
        tiny_hapicl().train_step(batch)


def test_batch_of_plain_images_is_refused():
    model = tiny_hapicl()
    with pytest.raises(ValueError, match="PairedViews"):
        model.fit(np.zeros((4, 32, 32, 3)), verbose=0)


def test_mask_of_another_size_is_refused(batch):
    batch["mask1"] = batch["mask1"][:, :16]
    with pytest.raises(ValueError, match=r"mask1 of the height and width of view1.*\(4, 16, 32\)"):
        tiny_hapicl().train_step(batch)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_reduced_precision_follows_float32(batch, policy):
    """Half precision has 8 or 11 bits of mantissa: losses agree to a percent or so."""
    view1, view2 = tiny_hapicl().augment(batch)
    expected = tiny_hapicl().loss_terms(view1, view2, training=True)["loss"]
    keras.config.set_dtype_policy(policy)
    model = tiny_hapicl()
    reduced = model.loss_terms(view1, view2, training=True)["loss"]
    assert reduced.dtype == "float32"
    np.testing.assert_allclose(reduced, expected, rtol=0.03)
    model.train_step(batch)
    assert all(np.isfinite(value).all() for value in model.get_weights())
