"""Settings that a run changes when it goes on."""

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.callbacks import Checkpoint, Position, ResumeError
from harl_tf.schedules import Cosine
from tests.networks import tiny_methods


def views(records, batch_size=4):
    return harl_tf.data.PairedViews(records, batch_size=batch_size, image_size=32)


def model(steps=12, peak=1e-3, method="byol"):
    made = tiny_methods()[method]()
    rate = keras.optimizers.schedules.CosineDecay(peak, steps)
    made.compile(optimizer=keras.optimizers.AdamW(rate))
    return made


def save(folder, views, model, epochs):
    """A run as it is after some epochs, without the time that they take."""
    checkpoint = Checkpoint(folder, views)
    checkpoint.set_model(model)
    checkpoint.resume(model)
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(epochs * views.steps_per_epoch)
    checkpoint.save(epochs)


def train(folder, views, model, epochs, change=()):
    checkpoint = Checkpoint(folder, views, keep=9)
    first = checkpoint.resume(model, change)
    model.fit(views, epochs=epochs, initial_epoch=first, verbose=0, callbacks=[checkpoint])
    return checkpoint


def test_longer_schedule_goes_on_from_the_place_of_the_run(records, tmp_path):
    """Of 2 epochs of 3 steps one is done; of 4 epochs it is a quarter: cos(pi/4)."""
    save(tmp_path / "run", views(records), model(6), 1)
    with pytest.raises(ResumeError, match=r"decay_steps was 6, is 12.* epochs.*--change"):
        Checkpoint(tmp_path / "run", views(records)).resume(model(12))
    longer = model(12)
    checkpoint = Checkpoint(tmp_path / "run", views(records))
    assert checkpoint.resume(longer, ["epochs"]) == 1
    assert int(longer.optimizer.iterations) == 3
    rate = float(longer.optimizer.learning_rate)
    assert rate == pytest.approx(1e-3 * (1 + np.cos(np.pi / 4)) / 2, rel=1e-5)


def test_other_batch_goes_on_after_the_same_share_of_the_epochs(records, tmp_path):
    """Two epochs of 12 // 4 = 3 steps become two of 12 // 2 = 6, with the rate of the new batch."""
    train(tmp_path / "run", views(records), model(9), 2)
    other = model(18, peak=2e-3)
    with pytest.raises(ResumeError, match=r"data\.batch_size was 4, is 2"):
        Checkpoint(tmp_path / "run", views(records, 2)).resume(model(18, peak=2e-3))
    train(tmp_path / "run", views(records, 2), other, 3, ["batch_size"])
    assert int(other.optimizer.iterations) == 18
    again = model(18, peak=2e-3)  # it is a run with these settings now
    assert Checkpoint(tmp_path / "run", views(records, 2)).resume(again) == 3
    for before, after in zip(other.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.slow
def test_other_batch_within_an_epoch(records, tmp_path):
    """After two of three steps: after four of six."""
    checkpoint = Checkpoint(tmp_path / "run", views(records))
    first = model()
    checkpoint.set_model(first)
    checkpoint.resume(first)
    first.optimizer.iterations.assign(5)
    checkpoint.save(1, 2)
    other = model()
    goes_on = Checkpoint(tmp_path / "run", views(records, 2))
    assert goes_on.resume(other, ["batch_size"]) == 1
    assert goes_on.position == Position(1, 4)
    assert int(other.optimizer.iterations) == 10
    other.fit(views(records, 2), epochs=2, initial_epoch=1, verbose=0, callbacks=[goes_on])
    assert int(other.optimizer.iterations) == 12


@pytest.mark.parametrize("keep", [1, 2])
def test_states_with_other_steps_do_not_come_back(records, tmp_path, keep):
    """Four of six steps of a batch of two are two of three of a batch of four: (1, 4) > (1, 2).

    What is saved after the change is the newest, whatever its number.
    """
    checkpoint = Checkpoint(tmp_path / "run", views(records, 2), keep=keep)
    first = model()
    checkpoint.set_model(first)
    checkpoint.resume(first)
    checkpoint.save(1, 3)
    checkpoint.save(1, 5)
    goes_on, other = Checkpoint(tmp_path / "run", views(records), keep=keep), model()
    goes_on.set_model(other)
    assert goes_on.resume(other, ["batch_size"]) == 1
    assert goes_on.position == Position(1, 2)
    goes_on.save(1, 2)
    again = Checkpoint(tmp_path / "run", views(records), keep=keep)
    assert again.resume(model()) == 1
    assert again.position == Position(1, 2)


@pytest.mark.slow
def test_constant_rate_is_that_of_now(records, tmp_path):
    """Keras keeps it among the weights."""

    def made(rate):
        constant = tiny_methods()["byol"]()
        constant.compile(optimizer=keras.optimizers.AdamW(rate))
        return constant

    save(tmp_path / "run", views(records), made(1e-3), 1)
    other = made(2e-3)
    Checkpoint(tmp_path / "run", views(records, 2)).resume(other, ["batch_size"])
    assert float(other.optimizer.learning_rate) == pytest.approx(2e-3)
    with pytest.raises(ResumeError, match=r"learning_rate was 0\.001"):
        Checkpoint(tmp_path / "run", views(records)).resume(made(2e-3), ["records"])
    with pytest.raises(ResumeError, match=r"learning_rate was 0\.001"):
        Checkpoint(tmp_path / "run", views(records, 2)).resume(model(), ["batch_size"])


@pytest.mark.slow
def test_more_passes_an_epoch_go_with_the_batch(records, tmp_path):
    """The recipes for small sets have epochs of so many steps."""
    save(tmp_path / "run", views(records), model(), 1)
    other = harl_tf.data.PairedViews(records, batch_size=2, image_size=32, passes_per_epoch=2)
    assert Checkpoint(tmp_path / "run", other).resume(model(), ["batch_size"]) == 1


def test_other_peak_needs_another_batch(records, tmp_path):
    save(tmp_path / "run", views(records), model(6), 1)
    with pytest.raises(ResumeError, match=r"initial_learning_rate was 0\.001, is 0\.1"):
        Checkpoint(tmp_path / "run", views(records)).resume(model(6, peak=0.1), ["epochs"])


def test_schedule_in_parts_may_change(records, tmp_path):
    """In the second of two parts, which becomes longer."""
    parts = [Cosine(0.9, 1.0, 3), Cosine(0.9, 1.0, 6)]

    def made(last):
        settings = {"projection_units": 16, "hidden_units": 32}
        momentum = harl_tf.schedules.InParts([parts[0], Cosine(0.9, 1.0, last)], [3])
        byol = harl_tf.BYOL(tiny_methods()["byol"]().backbone, momentum=momentum, **settings)
        byol.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))
        return byol

    save(tmp_path / "run", views(records), made(6), 2)
    with pytest.raises(ResumeError, match="does not continue the run's schedule"):
        Checkpoint(tmp_path / "run", views(records)).resume(made(9))
    assert Checkpoint(tmp_path / "run", views(records)).resume(made(9), ["epochs"]) == 2


@pytest.mark.parametrize(
    "change", [[], pytest.param(["accumulate"], marks=pytest.mark.slow), ["epochs"]]
)
def test_nothing_else_changes_with_it(records, tmp_path, change):
    save(tmp_path / "run", views(records), model(6), 1)
    other = harl_tf.data.PairedViews(records, batch_size=4, image_size=32, seed=5)
    with pytest.raises(ResumeError, match=r"data\.seed was 0, is 5"):
        Checkpoint(tmp_path / "run", other).resume(model(6), change)


@pytest.mark.slow
def test_momentum_schedule_of_a_method_may_be_longer_too(records, tmp_path):
    def made(steps):
        settings = {"projection_units": 16, "hidden_units": 32}
        byol = harl_tf.BYOL(
            tiny_methods()["byol"]().backbone, momentum=Cosine(0.9, 1.0, steps), **settings
        )
        byol.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))
        return byol

    save(tmp_path / "run", views(records), made(6), 1)
    with pytest.raises(ResumeError, match=r"steps was 6, is 12"):
        Checkpoint(tmp_path / "run", views(records)).resume(made(12))
    assert Checkpoint(tmp_path / "run", views(records)).resume(made(12), ["epochs"]) == 1


def test_same_settings_with_a_change_go_on_as_without(records, tmp_path):
    """Whoever leaves --change in a script gets the same weights."""
    save(tmp_path / "run", views(records), model(9), 2)
    plain, with_change = model(9), model(9)
    Checkpoint(tmp_path / "run", views(records)).resume(plain)
    Checkpoint(tmp_path / "run", views(records)).resume(with_change, ["epochs", "batch_size"])
    assert int(plain.optimizer.iterations) == int(with_change.optimizer.iterations) == 6


def test_change_that_there_is_not_is_refused(records, tmp_path):
    with pytest.raises(ValueError, match=r"Expected changes among .* Received: seed"):
        Checkpoint(tmp_path / "run", views(records)).resume(model(), ["seed"])
