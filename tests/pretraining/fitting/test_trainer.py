"""``fit``, ``evaluate`` and their relatives on streams: where they start, how far they go."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.data import PairedViews
from tests.networks import tiny_pyramid


@pytest.fixture
def views(records):
    return PairedViews(records, batch_size=4, image_size=32)


def adamw():
    return keras.optimizers.AdamW(1e-3)


def momentum():
    return keras.optimizers.SGD(0.05, momentum=0.9)


def simclr(optimizer=adamw, **compilation):
    keras.utils.set_random_seed(0)
    model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=16)
    model.compile(optimizer(), **compilation)
    return model


def assert_same_weights(first, second, atol=1e-6):
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


class StopAt(keras.callbacks.Callback):
    """Ends training as a signal would, after an epoch is over."""

    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("optimizer", [adamw, pytest.param(momentum, marks=pytest.mark.slow)])
def test_stream_goes_on_where_backup_and_restore_does(views, tmp_path, optimizer):
    """The restored run sees the views of its epochs, not those of the first ones again."""
    whole = simclr(optimizer)
    losses = whole.fit(views, epochs=4, verbose=0).history["loss"]
    backup = tmp_path / "backup"
    with pytest.raises(KeyboardInterrupt):
        simclr(optimizer).fit(
            views,
            epochs=4,
            callbacks=[keras.callbacks.BackupAndRestore(backup), StopAt(1)],
            verbose=0,
        )
    restored = simclr(optimizer)
    restored.fit(views, epochs=4, callbacks=[keras.callbacks.BackupAndRestore(backup)], verbose=0)
    np.testing.assert_allclose(restored.history.history["loss"], losses[2:], atol=1e-5)
    assert_same_weights(restored, whole)


def test_backup_within_an_epoch_is_refused(views, tmp_path):
    backup = keras.callbacks.BackupAndRestore(tmp_path, save_freq=2)
    with pytest.raises(ValueError, match=r'Expected BackupAndRestore\(save_freq="epoch"\).*freq=2'):
        simclr().fit(views, callbacks=[backup], verbose=0)


@pytest.mark.parametrize(
    ("per_call", "optimizer"), [(4, adamw), pytest.param(7, momentum, marks=pytest.mark.slow)]
)
def test_steps_per_execution_that_does_not_divide_an_epoch(records, per_call, optimizer):
    """Twelve photographs by two are six steps."""
    views = PairedViews(records, batch_size=2, image_size=32)
    plain, grouped = simclr(optimizer), simclr(optimizer, steps_per_execution=per_call)
    steps = views.steps_per_epoch
    for model in (plain, grouped):
        model.fit(views, epochs=2, verbose=0)
        assert int(model.optimizer.iterations) == 2 * steps
    assert_same_weights(plain, grouped)


def test_steps_per_execution_after_training_was_stopped_within_an_epoch(records):
    """The count starts anew: three of five steps, then two whole epochs of five."""
    views = PairedViews(records, batch_size=2, image_size=32)

    class StopSoon(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    model = simclr(steps_per_execution=3)
    model.fit(views, steps_per_epoch=5, callbacks=[StopSoon()], verbose=0)
    assert int(model.optimizer.iterations) == 3
    model.fit(views, steps_per_epoch=5, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 3 + 2 * 5


@pytest.mark.parametrize("per_call", [1, 2])
def test_data_set_that_ends_early_makes_no_more_updates_than_batches(views, per_call):
    """Five batches: the sixth call, or the third call of two, meets the end."""
    model = simclr(steps_per_execution=per_call)
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(views.from_epoch(0).take(5), epochs=1, steps_per_epoch=8, verbose=0)
    assert int(model.optimizer.iterations) == 5


def test_evaluate_reads_the_first_epoch_of_a_stream_every_time(views):
    """The mean over the batches of epoch 0, as counted by hand."""
    model = simclr()
    batches = views.from_epoch(0).take(views.steps_per_epoch)
    by_hand = [model.test_on_batch(batch, return_dict=True)["loss"] for batch in batches]
    for _ in range(2):
        logs = model.evaluate(views, verbose=0, return_dict=True)
        assert logs["loss"] == pytest.approx(np.mean(by_hand), abs=1e-4)


@pytest.mark.filterwarnings("error:Your input ran out of data")
@pytest.mark.parametrize("steps", [None, pytest.param(2, marks=pytest.mark.slow), 3])
def test_evaluate_by_several_steps_a_call_counts_every_batch_once(views, steps):
    """Three batches by two: the second call has one left."""
    data = views.from_epoch(0).take(3).apply(tf.data.experimental.assert_cardinality(3))
    one, two = simclr(), simclr(steps_per_execution=2)
    logs = [each.evaluate(data, steps=steps, verbose=0, return_dict=True) for each in (one, two)]
    assert logs[1] == pytest.approx(logs[0], abs=1e-5)


@pytest.mark.parametrize("per_call", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_validation_reads_the_same_views_in_every_epoch(views, per_call):
    """Its loss after each epoch is what ``evaluate`` says then."""
    other = PairedViews(views.folder, batch_size=2, image_size=32, seed=7)
    model = simclr(steps_per_execution=per_call)
    said = []
    ask = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: said.append(logs["val_loss"])
    )
    history = model.fit(views, epochs=2, validation_data=other, callbacks=[ask], verbose=0).history
    assert history["val_loss"] == said
    logs = model.evaluate(other, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(said[-1], abs=1e-5)
    assert int(model.optimizer.iterations) == 2 * views.steps_per_epoch


def test_train_on_batch_is_a_step_of_fit(views):
    by_fit, by_hand = simclr(), simclr()
    by_fit.fit(views, epochs=1, verbose=0)
    for batch in views.from_epoch(0).take(views.steps_per_epoch):
        logs = by_hand.train_on_batch(batch, return_dict=True)
    assert set(logs) == set(by_hand.metric_names)
    assert int(by_hand.optimizer.iterations) == views.steps_per_epoch
    # fit colors the views in the stream, train_on_batch on the device, which rounds otherwise.
    assert_same_weights(by_fit, by_hand, atol=1e-4)


@pytest.mark.slow
def test_train_on_batch_of_arrays_on_replicas(views, two_replicas):
    batch = {key: each.numpy() for key, each in next(iter(views.from_epoch(0))).items()}
    one = simclr(momentum)
    with two_replicas.scope():
        two = simclr(momentum)
    first, second = (model.train_on_batch(batch, return_dict=True) for model in (one, two))
    assert second["loss"] == pytest.approx(first["loss"], abs=1e-4)
    odd = {key: each[:3] for key, each in batch.items()}
    with pytest.raises(ValueError, match=r"2 replicas share evenly, such as 2\..*batch_size=3"):
        two.train_on_batch(odd)


@pytest.mark.parametrize("method", ["evaluate", "fit"])
def test_last_batch_that_replicas_cannot_share_is_refused(views, two_replicas, method):
    """Rows are counted as if they were spread evenly; an uneven rest would give another loss."""
    with two_replicas.scope():
        model = simclr()
    rows = views.from_epoch(0).take(3).unbatch().batch(4)  # the size of the last one is unknown
    with pytest.raises(
        ValueError, match=r"same number of rows on several replicas.*drop_remainder"
    ):
        getattr(model, method)(rows, verbose=0)
    with pytest.raises(ValueError, match="same number of rows on several replicas"):
        model.fit(views, validation_data=rows, verbose=0)
    # The process is as usable as before.
    assert np.isfinite(model.evaluate(views, verbose=0, return_dict=True)["loss"])


def test_evaluate_on_replicas_is_that_of_one_device(views, two_replicas):
    one = simclr(momentum)
    with two_replicas.scope():
        two = simclr(momentum)
    first, second = (model.evaluate(views, verbose=0, return_dict=True) for model in (one, two))
    assert second == pytest.approx(first, abs=1e-4)


def test_callback_list_is_a_list_of_callbacks(views):
    seen = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    model = simclr()
    model.fit(views, epochs=2, callbacks=keras.callbacks.CallbackList([note]), verbose=0)
    assert seen == [0, 1]
    model.fit(views, callbacks=note, verbose=0)
    assert seen == [0, 1, 0]


@pytest.mark.parametrize(
    "given",
    [
        {"y": [1]},
        {"sample_weight": [1.0]},
        {"class_weight": {0: 1.0}},
        {"validation_split": 0.1},
    ],
    ids=lambda given: next(iter(given)),
)
def test_targets_have_no_meaning_here(views, given):
    name = next(iter(given))
    with pytest.raises(ValueError, match=rf"Expected fit without {name}: pretraining has no"):
        simclr().fit(views, **given, verbose=0)


@pytest.mark.parametrize(
    "given",
    [{"loss": "mse"}, {"metrics": ["accuracy"]}, {"weighted_metrics": ["mse"]}],
    ids=lambda given: next(iter(given)),
)
def test_losses_and_metrics_are_the_methods_own(given):
    name = next(iter(given))
    with pytest.raises(ValueError, match=rf"Expected compile without {name}: the method"):
        simclr(**given)


def test_steps_per_execution_of_keras_own_choice_is_refused():
    with pytest.raises(ValueError, match="Expected steps_per_execution as a number"):
        simclr(steps_per_execution="auto")


def test_loss_in_second_place_is_no_number_of_steps():
    model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=16)
    with pytest.raises(ValueError, match=r"accumulation_steps as a number.*'mse'"):
        model.compile("adamw", "mse")


def test_data_that_replicas_cannot_be_given_is_refused(views, two_replicas):
    batch = {key: each.numpy() for key, each in next(iter(views.from_epoch(0))).items()}
    with two_replicas.scope():
        model = simclr()
    for data in (batch, iter([batch])):
        with pytest.raises(ValueError, match=r"PairedViews or a tf.data.Dataset .* on 2 replicas"):
            model.fit(data, verbose=0)


def test_arrays_train_on_one_device(views):
    batch = {key: each.numpy() for key, each in next(iter(views.from_epoch(0))).items()}
    model = simclr()
    model.fit(batch, batch_size=2, verbose=0)
    assert int(model.optimizer.iterations) == 2


def test_steps_of_an_epoch_that_are_none_are_those_of_the_views(views):
    """Keras's own default, handed on by a user's function; the stream has no end."""
    model = simclr(adamw)
    model.fit(views, epochs=1, steps_per_epoch=None, verbose=0)
    assert int(model.optimizer.iterations) == views.steps_per_epoch


@pytest.mark.parametrize("steps", [2, 5])
def test_stream_goes_on_after_epochs_of_other_steps(views, tmp_path, steps):
    """Three steps are a pass: an epoch of two ends within it, one of five passes over it."""
    whole, losses = simclr(adamw), []
    losses = whole.fit(views, epochs=4, steps_per_epoch=steps, verbose=0).history["loss"]
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        simclr(adamw).fit(
            views, epochs=4, steps_per_epoch=steps, callbacks=[backup, StopAt(1)], verbose=0
        )
    restored = simclr(adamw)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    restored.fit(views, epochs=4, steps_per_epoch=steps, callbacks=[backup], verbose=0)
    np.testing.assert_allclose(restored.history.history["loss"], losses[2:], atol=1e-5)
    assert_same_weights(restored, whole)
