"""A run whose loss is no longer a number stops, and what was saved before can be resumed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf import distribution
from harl_tf.callbacks import Checkpoint
from harl_tf.pretraining.fitting.divergence import StopOnDivergence
from tests.networks import tiny_pyramid


def watching(model=None):
    callback = StopOnDivergence()
    callback.set_model(model or keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    return callback


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_epoch_that_ends_without_a_finite_loss_names_the_metrics(loss):
    callback = watching()
    callback.on_epoch_begin(4)
    with pytest.raises(FloatingPointError) as error:
        callback.on_epoch_end(4, {"loss": loss, "embedding_std": 0.25})
    assert str(error.value).startswith(
        "Expected a finite loss and finite weights. "
        f"Received: loss={loss}, embedding_std=0.25, in epoch 5 at its end."
    )


def test_epoch_that_ends_with_a_weight_that_is_not_finite_names_it():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")], name="m")
    model.layers[0].kernel.assign([[1.0], [np.inf]])
    with pytest.raises(FloatingPointError, match=r"loss=1 with NaN or infinity .* m/dense/kernel,"):
        watching(model).on_epoch_end(0, {"loss": 1.0})


def test_steps_are_looked_at_now_and_then_beside_an_accelerator(monkeypatch):
    """Every sixteenth call, so that a device need not wait for each loss."""
    monkeypatch.setattr(distribution, "has_accelerator", lambda: True)
    callback = watching()
    for step in range(15):
        callback.on_train_batch_end(step, {"loss": float("nan")})
    with pytest.raises(FloatingPointError, match="in epoch 1 at step 16"):
        callback.on_train_batch_end(15, {"loss": float("nan")})


def test_every_step_is_looked_at_on_cpus():
    with pytest.raises(FloatingPointError, match="in epoch 1 at step 3"):
        watching().on_train_batch_end(2, {"loss": float("nan")})


def test_finite_losses_pass():
    callback = watching()
    for step in range(40):
        callback.on_train_batch_end(step, {"loss": 1.0, "uniformity": float("nan")})
    callback.on_epoch_end(0, {"loss": 1.0})
    callback.on_epoch_end(0)


def build(first_rate=0.05):
    """After three updates, an epoch, the learning rate is beyond all numbers."""
    keras.utils.set_random_seed(0)
    model = harl_tf.BYOL(tiny_pyramid(), projection_units=8, hidden_units=16)
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([2], [first_rate, 1e38])
    model.compile(keras.optimizers.SGD(rate), run_eagerly=True)
    return model


def test_diverged_fit_leaves_the_last_good_checkpoint_as_it_was(records, tmp_path):
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    model = build()
    with pytest.raises(
        FloatingPointError, match=r"Received: .*loss=nan, .*uniformity=.* in epoch 2"
    ):
        model.fit(views, epochs=3, callbacks=[Checkpoint(tmp_path / "run", views)], verbose=0)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["epoch_000001"]

    resumed = build()
    before = resumed.get_weights()
    assert Checkpoint(tmp_path / "run", views).resume(resumed) == 1
    assert int(resumed.optimizer.iterations) == 3
    assert all(np.isfinite(value).all() for value in resumed.get_weights())
    assert not np.array_equal(before[0], resumed.get_weights()[0])
    step = resumed.train_step(next(iter(views.from_epoch(1))))
    assert np.isfinite(step["loss"])


OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(1e-3, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(1e-3),
    "adamw": lambda: keras.optimizers.AdamW(1e-3),
    "lion": lambda: keras.optimizers.Lion(1e-4),
    "lars": lambda: harl_tf.optimizers.LARS(0.1),
}


NOT_NUMBERS = [
    *((np.nan, name) for name in OPTIMIZERS),
    (np.inf, "adamw"),
    *(pytest.param(np.inf, name, marks=pytest.mark.slow) for name in OPTIMIZERS if name != "adamw"),
]


@pytest.mark.parametrize(("value", "optimizer"), NOT_NUMBERS)
def test_one_image_that_is_not_a_number_stops_fit_at_its_step(records, optimizer, value):
    """oneDNN's ReLU turns NaN into 0: the loss alone would stay finite, log(2N - 1)."""
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    good = {key: each.numpy() for key, each in next(iter(views.from_epoch(0))).items()}
    bad = {**good, "view1": good["view1"].astype("float32")}
    bad["view1"][1, 5, 7] = value
    good["view1"] = good["view1"].astype("float32")
    batches = {key: np.stack([good[key], good[key], bad[key], good[key]]) for key in good}
    keras.utils.set_random_seed(0)
    model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=16)
    model.compile(OPTIMIZERS[optimizer]())
    with pytest.raises(FloatingPointError, match=r"weight .*, in epoch 1 at step 3\."):
        model.fit(tf.data.Dataset.from_tensor_slices(batches), verbose=0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
        pytest.param({"steps_per_execution": 3}, marks=pytest.mark.slow),
    ],
)
def test_huge_rate_stops_fit_though_its_loss_stays_finite(records, settings):
    """After a rate of 1e30, batch normalization divides by an infinite deviation: outputs of 0."""
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    keras.utils.set_random_seed(0)
    model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=16)
    model.compile(keras.optimizers.AdamW(1e30), **settings)
    with pytest.raises(FloatingPointError, match=r"in epoch 1 at "):
        model.fit(views, epochs=1, verbose=0)


def test_skipped_updates_of_a_loss_scale_optimizer_are_no_divergence(records):
    """The first scale, 2^15 times 2^30, is too large: its gradients are infinite and left out."""
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    keras.utils.set_random_seed(0)
    model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=16)
    inner = keras.optimizers.AdamW(1e-3)
    scaled = keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**127)
    model.compile(scaled, run_eagerly=True)
    before = model.get_weights()
    history = model.fit(views, epochs=1, steps_per_epoch=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    kernel = [each.path for each in model.weights].index(model.trainable_variables[0].path)
    np.testing.assert_array_equal(model.get_weights()[kernel], before[kernel])
