"""A run whose loss is no longer a number stops, and what was saved before can be resumed."""

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.callbacks import Checkpoint
from harl_tf.pretraining.divergence import StopOnDivergence
from tests.networks import tiny_pyramid


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_epoch_that_ends_without_a_finite_loss_names_the_metrics(loss):
    callback = StopOnDivergence()
    callback.on_epoch_begin(4)
    with pytest.raises(FloatingPointError) as error:
        callback.on_epoch_end(4, {"loss": loss, "embedding_std": 0.25})
    assert str(error.value).startswith(
        f"Expected a finite loss. Received: loss={loss}, embedding_std=0.25, in epoch 5 at its end."
    )


def test_steps_are_looked_at_now_and_then():
    """Every sixteenth call, so that a device need not wait for each loss."""
    callback = StopOnDivergence()
    for step in range(15):
        callback.on_train_batch_end(step, {"loss": float("nan")})
    with pytest.raises(FloatingPointError, match="in epoch 1 at step 16"):
        callback.on_train_batch_end(15, {"loss": float("nan")})


def test_finite_losses_pass():
    callback = StopOnDivergence()
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
