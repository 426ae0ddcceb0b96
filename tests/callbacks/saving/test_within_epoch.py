"""Runs that are stopped within an epoch of three steps, and go on there."""

import json
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.callbacks import Checkpoint, EpochLog
from tests.networks import tiny_methods


@pytest.fixture
def views(records):
    return harl_tf.data.PairedViews(records, batch_size=4, image_size=32)


class Signal(keras.callbacks.Callback):
    """Sends a signal to this process at the end of a step, counted from 1 over the run."""

    def __init__(self, step, number=signal.SIGTERM):
        super().__init__()
        self.step, self.number = step, number

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations.numpy()) == self.step:
            signal.raise_signal(self.number)


def simclr(strategy=None, **compilation):
    keras.utils.set_random_seed(0)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = tiny_methods()["simclr"]()
        model.compile(keras.optimizers.AdamW(1e-3), **compilation)
    return model


def fit(model, views, folder, others=(), **settings):
    """A run of three epochs as a user's script has it; returns what ``fit`` reported."""
    checkpoint = Checkpoint(folder / "run", views, **settings)
    first = checkpoint.resume(model)
    callbacks = [EpochLog(folder / "log.csv"), *others, checkpoint]
    return model.fit(views, epochs=3, initial_epoch=first, callbacks=callbacks, verbose=0).history


def assert_same(found, expected, atol=1e-5):
    for one, other in zip(found.weights, expected.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=atol)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "step", [*(pytest.param(each, marks=pytest.mark.slow) for each in (1, 6, 8)), 5]
)
def test_sigterm_saves_the_run_which_goes_on_to_the_same_weights_and_rows(views, tmp_path, step):
    """Steps 1, 5 and 8 are the first, second and second of their epochs, 6 is the last of its.

    What ``fit`` reports of the epoch is the mean of all three steps, those before included.
    """
    whole = simclr()
    history = fit(whole, views, tmp_path / "whole")
    with pytest.raises(SystemExit) as ended:
        fit(simclr(), views, tmp_path / "ended", [Signal(step)])
    assert ended.value.code == 128 + signal.SIGTERM
    position = harl_tf.callbacks.saved_in(tmp_path / "ended" / "run")[-1].position
    assert position == divmod(step, 3)
    resumed = simclr()
    rest = fit(resumed, views, tmp_path / "ended")
    assert_same(resumed, whole)
    assert rest["loss"] == pytest.approx(history["loss"][step // 3 :], rel=1e-4)
    rows = EpochLog(tmp_path / "ended" / "log.csv").rows()
    assert [row["loss"] for row in rows] == pytest.approx(history["loss"], rel=1e-4)
    before_last = "epoch_000002_step_000002" if step == 8 else "epoch_000002"
    assert names(tmp_path / "ended" / "run") == [before_last, "epoch_000003"]


def test_other_handler_of_sigterm_is_called_once_the_run_is_saved(views, tmp_path):
    def interrupt(number, frame):
        raise KeyboardInterrupt(f"saved: {names(tmp_path / 'run')}")

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt, match="epoch_000001_step_000002"):
            fit(simclr(), views, tmp_path, [Signal(5)])
        assert signal.getsignal(signal.SIGTERM) is interrupt
    finally:
        signal.signal(signal.SIGTERM, before)


def test_after_an_error_the_folder_and_the_signal_are_free_again(views, tmp_path):
    before = signal.getsignal(signal.SIGTERM)

    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(simclr(), views, tmp_path, [Fail()])
    assert signal.getsignal(signal.SIGTERM) == before
    assert names(tmp_path / "run") == []


def test_ignored_sigterm_stays_ignored(views, tmp_path):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        fit(simclr(), views, tmp_path, [Signal(5)])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert names(tmp_path / "run") == ["epoch_000002", "epoch_000003"]


def test_run_is_saved_within_epochs_when_the_time_has_come(views, tmp_path):
    """Every 0 minutes is after every step; the last two saves of nine are kept."""
    fit(simclr(), views, tmp_path, minutes=0)
    assert names(tmp_path / "run") == ["epoch_000002_step_000002", "epoch_000003"]


def test_minutes_below_zero_are_refused(views, tmp_path):
    with pytest.raises(ValueError, match="minutes=-1"):
        Checkpoint(tmp_path, views, minutes=-1)


@pytest.mark.slow
@pytest.mark.parametrize("later", [1, 2])
def test_several_steps_a_call_go_on_within_an_epoch(views, tmp_path, later):
    """Two steps a call: SIGTERM after the first call of the second epoch; then as many, or one."""
    whole = simclr(steps_per_execution=2)
    history = fit(whole, views, tmp_path / "whole")
    with pytest.raises(SystemExit):
        fit(simclr(steps_per_execution=2), views, tmp_path / "ended", [Signal(5)])
    resumed = simclr(steps_per_execution=later)
    rest = fit(resumed, views, tmp_path / "ended")
    assert_same(resumed, whole)
    assert rest["loss"] == pytest.approx(history["loss"][1:], rel=1e-4)


@pytest.mark.slow
def test_two_replicas_go_on_within_an_epoch(views, tmp_path, two_replicas):
    whole = simclr(two_replicas)
    history = fit(whole, views, tmp_path / "whole")
    with pytest.raises(SystemExit):
        fit(simclr(two_replicas), views, tmp_path / "ended", [Signal(5)])
    resumed = simclr(two_replicas)
    rest = fit(resumed, views, tmp_path / "ended")
    assert_same(resumed, whole)
    assert rest["loss"] == pytest.approx(history["loss"][1:], rel=1e-4)


def test_data_set_that_cannot_start_within_an_epoch_is_refused(views, tmp_path):
    with pytest.raises(SystemExit):
        fit(simclr(), views, tmp_path, [Signal(5)])
    model = simclr()
    checkpoint = Checkpoint(tmp_path / "run", views)
    first = checkpoint.resume(model)
    with pytest.raises(ValueError, match=r"go on after 2 steps .* Call model\.fit\(views"):
        model.fit(
            views.from_epoch(first),
            steps_per_epoch=views.steps_per_epoch,
            initial_epoch=first,
            epochs=3,
            callbacks=[checkpoint],
            verbose=0,
        )


@pytest.mark.slow
def test_what_an_interrupted_save_left_behind_is_removed(views, tmp_path):
    (tmp_path / "run" / "epoch_000001_step_000002.partial").mkdir(parents=True)
    fit(simclr(), views, tmp_path)
    assert names(tmp_path / "run") == ["epoch_000002", "epoch_000003"]


def test_deletion_that_was_interrupted_is_finished(views, tmp_path, monkeypatch):
    """Killed between two files of the oldest state, which is then neither whole nor gone."""
    fit(simclr(), views, tmp_path, keep=9)
    oldest, *_ = harl_tf.callbacks.saved_in(tmp_path / "run")

    def killed(path):
        (path / "COMPLETE").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            oldest.remove()
    fit(simclr(), views, tmp_path, keep=9)
    assert names(tmp_path / "run") == ["epoch_000002", "epoch_000003"]


def test_mean_of_an_epoch_has_the_same_digits_wherever_it_was_resumed():
    """All but 1e-14 of it: with means in float32, some rows of a log had another sixth digit."""
    metric = simclr().metrics[0]
    for values in np.random.default_rng(0).uniform(0, 9, (50, 3)).astype(np.float32):
        metric.reset_state()
        for value in values:
            metric.update_state(value)
        whole = float(metric.result())
        metric.reset_state()
        for value in values[:2]:
            metric.update_state(value)
        saved = json.loads(json.dumps(float(metric.result())))
        metric.reset_state()
        harl_tf.distribution.set_mean(tf.distribute.get_strategy(), metric, saved, 2)
        metric.update_state(values[2])
        assert float(metric.result()) == pytest.approx(whole, rel=1e-14)


def test_last_call_of_several_steps_counts_those_there_are(views, tmp_path):
    """Three steps an epoch in calls of two: of the second, Keras reports the fourth step."""
    fit(simclr(steps_per_execution=2), views, tmp_path, minutes=0, keep=9)
    assert names(tmp_path / "run") == [
        "epoch_000000_step_000002",
        "epoch_000001",
        "epoch_000001_step_000002",
        "epoch_000002",
        "epoch_000002_step_000002",
        "epoch_000003",
    ]


def test_probes_of_a_resumed_run_repeat_what_they_would_have(views, tmp_path):
    """Of five epochs, the first, third and last are probed; the second run stops after the third,
    and the fourth repeats its value."""

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch + 1 == 3

    def run(folder, *others):
        model, checkpoint = simclr(), Checkpoint(folder / "run", views)
        probe, log = harl_tf.callbacks.RankProbe(views, every=3), EpochLog(folder / "log.csv")
        first, callbacks = checkpoint.resume(model), [probe, log, checkpoint, *others]
        model.fit(views, epochs=5, initial_epoch=first, callbacks=callbacks, verbose=0)
        return [row["effective_rank"] for row in log.rows()]

    assert len(run(tmp_path, Stop())) == 3
    first, second, third, fourth, last = run(tmp_path)
    assert first == second != third == fourth != last
