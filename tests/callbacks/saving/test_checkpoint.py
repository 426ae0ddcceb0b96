import shutil

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.callbacks import Checkpoint, ResumeError
from tests.networks import tiny_hapicl, tiny_methods, tiny_pyramid


@pytest.fixture
def views(records):
    return harl_tf.data.PairedViews(records, batch_size=4, image_size=32)


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
    """The folder of a run with two saved epochs, its model, and the weights after each."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    model = tiny_hapicl()
    model.optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(folder, views)
    checkpoint.set_model(model)
    saved = {}
    for epoch in (1, 2):
        model.train_step(next(iter(views.from_epoch(epoch))))
        checkpoint.save(epoch)
        saved[epoch] = [variable.numpy() for variable in model.variables]
    return folder, model, saved


@pytest.fixture
def run(trained, views, tmp_path):
    """A checkpoint callback of that run, in a folder of its own, and the weights."""
    folder, model, saved = trained
    shutil.copytree(folder, tmp_path / "run")
    checkpoint = Checkpoint(tmp_path / "run", views)
    checkpoint.set_model(model)
    return checkpoint, saved


def assert_resumes_from(checkpoint, saved, epoch):
    model = tiny_hapicl(seed=1)
    assert checkpoint.resume(model) == epoch
    for expected, variable in zip(saved[epoch], model.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected)


def test_resume_brings_back_weights_and_optimizer(run):
    assert_resumes_from(*run, epoch=2)


def test_resume_without_a_checkpoint_starts_at_zero(views, tmp_path):
    model = tiny_hapicl()
    before = model.get_weights()
    assert Checkpoint(tmp_path / "none", views).resume(model) == 0
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("file", ["model.weights.h5", "state.json", "COMPLETE"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "flipped"])
def test_damaged_newest_checkpoint_falls_back_to_the_one_before(run, file, damage):
    checkpoint, saved = run
    path = checkpoint.folder / "epoch_000002" / file
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    said = r"epoch_000002 is damaged: its? .*\. Continuing from epoch_000001 instead\."
    with pytest.warns(UserWarning, match=said):
        assert_resumes_from(checkpoint, saved, epoch=1)


def test_run_without_a_whole_checkpoint_is_refused_and_left_alone(run):
    checkpoint, _ = run
    for epoch in (1, 2):
        (checkpoint.folder / f"epoch_{epoch:06d}" / "state.json").write_text("{}")
    with pytest.raises(ResumeError, match=r"epoch_000002 is damaged: its state\.json is not as"):
        checkpoint.resume(tiny_hapicl())


def test_partial_checkpoint_is_not_read(run):
    checkpoint, saved = run
    (checkpoint.folder / "epoch_000002").rename(checkpoint.folder / "epoch_000003.partial")
    assert_resumes_from(checkpoint, saved, epoch=1)


def test_older_checkpoints_are_removed(run, views):
    checkpoint, _ = run
    checkpoint.save(3)
    names = sorted(path.name for path in checkpoint.folder.iterdir())
    assert names == ["epoch_000002", "epoch_000003"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model": {"pixel_weight": 0.5}}, "model.pixel_weight was 1.0, is 0.5"),
        ({"views": {"seed": 7}}, "data.seed was 0, is 7"),
        ({"views": {"batch_size": 6}}, "data.batch_size was 4, is 6"),
        ({"rate": 0.1}, "optimizer.config.learning_rate was 0.05"),
    ],
)
def test_run_with_other_settings_is_refused_with_their_names(run, records, change, named):
    checkpoint, _ = run
    settings = {"batch_size": 4, "image_size": 32} | change.get("views", {})
    views = harl_tf.data.PairedViews(records, **settings)
    model = tiny_hapicl(**change.get("model", {}))
    model.compile(keras.optimizers.SGD(change.get("rate", 0.05), momentum=0.9))
    with pytest.raises(ResumeError, match=named.replace(".", r"\.")):
        Checkpoint(checkpoint.folder, views).resume(model)


def test_refusal_names_three_differences_and_counts_the_others(run, records):
    """The seed, the size of the batch and of the images, the optimizer and the pixel weight."""
    checkpoint, _ = run
    views = harl_tf.data.PairedViews(records, batch_size=6, image_size=64, seed=7)
    model = tiny_hapicl(pixel_weight=0.5)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    with pytest.raises(ResumeError) as refused:
        Checkpoint(checkpoint.folder, views).resume(model)
    sentence = str(refused.value).partition("other settings: ")[2].partition(". Use ")[0]
    *shown, more = sentence.split("; ")
    assert [words.partition(" was ")[0] for words in shown] == [
        "data.batch_size",
        "data.image_size",
        "data.seed",
    ]
    assert more == "and 2 more"


def test_settings_of_one_run_only_and_of_lists_are_named(run):
    """An optimizer with another list of settings: Adam has no momentum, SGD no beta_1.

    The networks' layers are a list; a head of other units differs in one place of it.
    """
    checkpoint, _ = run
    other = tiny_hapicl()
    other.compile(keras.optimizers.Adam(0.05))
    with pytest.raises(ResumeError, match=r"optimizer\.class_name was 'SGD', is 'Adam'"):
        checkpoint.resume(other)
    with pytest.raises(ResumeError, match=r"optimizer\.config\.beta_1 was None, is 0\.9"):
        checkpoint.resume(other)
    with pytest.raises(ResumeError, match=r"hidden_units was \d+, is 24"):
        checkpoint.resume(tiny_hapicl(hidden_units=24))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_not_saved(run, bad):
    checkpoint, saved = run
    kernel = checkpoint.model.trainable_variables[0]
    before = kernel.numpy()
    try:
        kernel.assign(np.full(kernel.shape, bad))
        with pytest.raises(FloatingPointError, match=r"Received: NaN or infinity in .*kernel"):
            checkpoint.save(3)
    finally:
        kernel.assign(before)
    assert not (checkpoint.folder / "epoch_000003").exists()
    assert_resumes_from(checkpoint, saved, epoch=2)


@pytest.mark.parametrize("setting", ["every", "keep"])
def test_every_and_keep_below_one_are_refused(views, tmp_path, setting):
    with pytest.raises(ValueError, match=f"{setting}=0"):
        Checkpoint(tmp_path, views, **{setting: 0})


def test_last_epoch_is_saved_whatever_every_says(views, tmp_path):
    model = tiny_hapicl()
    model.fit(
        views.from_epoch(0),
        steps_per_epoch=views.steps_per_epoch,
        epochs=3,
        callbacks=[Checkpoint(tmp_path / "run", views, every=2)],
        shuffle=False,
        verbose=0,
    )
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == ["epoch_000002", "epoch_000003"]


def test_epoch_of_another_length_is_refused(views, tmp_path):
    with pytest.raises(ValueError, match=r"views\.steps_per_epoch, 3, .* steps_per_epoch=1"):
        tiny_hapicl().fit(
            views.from_epoch(0),
            steps_per_epoch=1,
            callbacks=[Checkpoint(tmp_path / "run", views)],
            shuffle=False,
            verbose=0,
        )


def test_run_whose_learning_rate_a_callback_changed_can_be_resumed(views, tmp_path):
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    checkpoint = Checkpoint(tmp_path / "run", views)
    model = tiny_hapicl()
    model.fit(
        views.from_epoch(0),
        steps_per_epoch=views.steps_per_epoch,
        epochs=2,
        callbacks=[halve, checkpoint],
        shuffle=False,
        verbose=0,
    )
    resumed = tiny_hapicl()
    assert Checkpoint(tmp_path / "run", views).resume(resumed) == 2
    assert float(resumed.optimizer.learning_rate) == pytest.approx(0.05 / 4)


@pytest.mark.parametrize("method", ["hapicl_harl", "densecl"])
def test_resume_brings_back_targets_queues_and_the_place_in_schedules(method, views, tmp_path):
    """Every variable is set to numbers of its own; schedules count the optimizer's iterations."""
    rate = harl_tf.schedules.Cosine(0.1, 0.0, 100)
    saved, resumed = (tiny_methods()[method]() for _ in range(2))
    for model in (saved, resumed):
        model.compile(keras.optimizers.SGD(rate, momentum=0.9))
    saved.optimizer.build(saved.trainable_variables)
    random = np.random.default_rng(0)
    for variable in (*saved.weights, *saved.optimizer.variables):
        variable.assign(random.integers(1, 50, variable.shape).astype(variable.dtype))
    checkpoint = Checkpoint(tmp_path / "run", views)
    checkpoint.set_model(saved)
    checkpoint.save(1)
    assert Checkpoint(tmp_path / "run", views).resume(resumed) == 1
    expected = [*saved.weights, *saved.optimizer.variables]
    found = [*resumed.weights, *resumed.optimizer.variables]
    for old, new in zip(expected, found, strict=True):
        np.testing.assert_array_equal(new.numpy(), old.numpy())


def test_checkpoints_are_made_at_the_end_of_epochs_only(views, tmp_path, monkeypatch):
    """Two epochs of three steps."""
    saved = []
    monkeypatch.setattr(Checkpoint, "save", lambda self, *done: saved.append(done))
    checkpoint = Checkpoint(tmp_path / "run", views)
    callbacks = keras.callbacks.CallbackList([checkpoint], model=tiny_hapicl(), epochs=2, steps=3)
    callbacks.on_train_begin()
    for epoch in (0, 1):
        callbacks.on_epoch_begin(epoch)
        for step in range(3):
            callbacks.on_train_batch_begin(step)
            callbacks.on_train_batch_end(step)
        callbacks.on_epoch_end(epoch)
    callbacks.on_train_end()
    assert saved == [(1, 0), (2, 0)]


def tiny_simclr(seed=0, **compilation):
    keras.utils.set_random_seed(seed)
    model = tiny_methods()["simclr"]()
    model.compile(keras.optimizers.AdamW(1e-3), **compilation)
    return model


def fit(views, folder, epochs, every=1, others=(), resume=False):
    """A run as a user's script has it; returns the model."""
    model = tiny_simclr()
    checkpoint = Checkpoint(folder, views, every=every)
    first = checkpoint.resume(model) if resume else 0
    callbacks = [*others, checkpoint]
    model.fit(views, epochs=epochs, initial_epoch=first, callbacks=callbacks, verbose=0)
    return model


def saved_in(folder):
    return sorted(path.name for path in folder.iterdir())


class Stop(keras.callbacks.Callback):
    """Stops training, as ``EarlyStopping`` does, after an epoch or within one."""

    def __init__(self, epoch, at_step=None):
        super().__init__()
        self.at, self.at_step, self.epoch = epoch, at_step, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.at and batch == self.at_step:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            self.model.stop_training = True


@pytest.mark.parametrize("first", [True, False], ids=["stop_first", "checkpoint_first"])
def test_last_epoch_is_saved_when_another_callback_stops_training(views, tmp_path, first):
    stop, checkpoint = Stop(epoch=2), Checkpoint(tmp_path / "run", views, every=10)
    model = tiny_simclr()
    callbacks = [stop, checkpoint] if first else [checkpoint, stop]
    model.fit(views, epochs=9, callbacks=callbacks, verbose=0)
    assert saved_in(tmp_path / "run") == ["epoch_000003"]
    resumed = tiny_simclr(seed=1)
    assert Checkpoint(tmp_path / "run", views, every=10).resume(resumed) == 3
    for expected, found in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_averages_of_an_optimizer_are_not_saved_as_the_weights(views, tmp_path):
    """Keras puts them in the place of the weights when ``fit`` ends; the run goes on without."""
    weights = {}

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights[epoch] = self.model.get_weights()

    model = tiny_simclr()
    model.compile(keras.optimizers.AdamW(1e-2, use_ema=True, ema_momentum=0.9))
    checkpoint = Checkpoint(tmp_path / "run", views, every=10)
    model.fit(views, epochs=9, callbacks=[Keep(), Stop(epoch=1), checkpoint], verbose=0)
    averaged = model.get_weights()
    resumed = tiny_simclr(seed=1)
    resumed.compile(keras.optimizers.AdamW(1e-2, use_ema=True, ema_momentum=0.9))
    assert Checkpoint(tmp_path / "run", views).resume(resumed) == 2
    found = resumed.get_weights()
    assert all(np.array_equal(*pair) for pair in zip(found, weights[1], strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(found, averaged, strict=True))


def test_log_of_a_run_that_is_refused_stays(views, tmp_path):
    """It comes before the checkpoint in the list, which refuses to begin the run anew."""
    log = harl_tf.callbacks.EpochLog(tmp_path / "run" / "log.csv")
    fit(views, tmp_path / "run", epochs=2, others=[log])
    before = log.path.read_text()
    with pytest.raises(ResumeError):
        fit(views, tmp_path / "run", epochs=1, others=[log])
    assert log.path.read_text() == before


def test_early_stopping_of_keras_before_the_checkpoint(views, tmp_path):
    """No loss is better by 10^9, so the second epoch is the last."""
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1e9)
    fit(views, tmp_path / "run", epochs=9, every=10, others=[stop])
    assert saved_in(tmp_path / "run") == ["epoch_000002"]


@pytest.mark.slow
def test_epoch_stopped_within_is_saved_as_what_it_is(views, tmp_path):
    """Resumed, the run goes on in the second epoch, as an unstopped one does."""
    folder = tmp_path / "run"
    fit(views, folder, epochs=3, others=[Stop(epoch=1, at_step=0)])
    assert saved_in(folder) == ["epoch_000001", "epoch_000001_step_000001"]
    resumed = fit(views, folder, epochs=3, resume=True)
    whole = fit(views, tmp_path / "whole", epochs=3)
    for expected, found in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_new_run_does_not_write_into_the_folder_of_another(views, tmp_path, epochs):
    """Its early checkpoints would be removed as the oldest, and the old weights come back later."""
    folder = tmp_path / "run"
    fit(views, folder, epochs=2)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ResumeError, match=r"holds epoch 2 of a run, .* begins at epoch 1\."):
        fit(views, folder, epochs=epochs)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before


def test_first_epoch_that_resume_said_must_be_passed_on(views, tmp_path):
    fit(views, tmp_path / "run", epochs=2)
    model = tiny_simclr()
    checkpoint = Checkpoint(tmp_path / "run", views)
    assert checkpoint.resume(model) == 2
    with pytest.raises(ResumeError, match=r"fit\(initial_epoch=checkpoint.resume\(model\)\)"):
        model.fit(views, epochs=3, callbacks=[checkpoint], verbose=0)


def test_one_callback_serves_several_fits_of_one_run(views, tmp_path):
    model, checkpoint = tiny_simclr(), Checkpoint(tmp_path / "run", views, every=2)
    model.fit(views, epochs=1, callbacks=[checkpoint], verbose=0)
    model.fit(views, epochs=4, initial_epoch=1, callbacks=[checkpoint], verbose=0)
    assert saved_in(tmp_path / "run") == ["epoch_000002", "epoch_000004"]


@pytest.mark.slow
def test_run_with_several_steps_a_call_resumes_to_the_same_weights(records, tmp_path):
    """Three steps an epoch, which two do not divide."""
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)

    def run(folder, epochs):
        model = tiny_simclr(steps_per_execution=2)
        checkpoint = Checkpoint(folder, views)
        first = checkpoint.resume(model)
        model.fit(views, epochs=epochs, initial_epoch=first, callbacks=[checkpoint], verbose=0)
        return model

    run(tmp_path / "halves", 1)
    resumed, whole = run(tmp_path / "halves", 2), run(tmp_path / "whole", 2)
    assert int(resumed.optimizer.iterations) == 2 * views.steps_per_epoch
    for expected, found in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_replaced_and_damaged_states_leave_is_removed(views, tmp_path):
    """A state that was being replaced, and one damaged that is older than those that are kept."""
    checkpoint = Checkpoint(tmp_path, views, keep=1)
    for name in (".epoch_000002.replaced", "epoch_000001_step_000002"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.weights.h5").touch()
    (tmp_path / ".epoch_notes.replaced").mkdir()  # not ours
    fit_to(checkpoint, views, 2)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        ".epoch_notes.replaced",
        "epoch_000002",
    ]


def test_state_that_cannot_be_deleted_does_not_end_the_run(views, tmp_path, monkeypatch):
    def refuse(path, ignore_errors=False):
        if not ignore_errors:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("harl_tf.callbacks.saving.saved.shutil.rmtree", refuse)
    with pytest.warns(UserWarning, match="could not be deleted: Permission denied"):
        fit_to(Checkpoint(tmp_path, views, keep=1), views, 2)
    assert (tmp_path / "epoch_000002").is_dir()


def fit_to(checkpoint, views, epochs):
    model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=8)
    model.compile(keras.optimizers.AdamW(1e-3))
    model.fit(views, epochs=epochs, callbacks=[checkpoint], verbose=0)


def with_dropout() -> harl_tf.SimCLR:
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, strides=4, padding="same")(image)
    maps = {"P2": keras.layers.Dropout(0.5)(x)}
    backbone = harl_tf.backbones.feature_pyramid(keras.Model(image, maps))
    model = harl_tf.SimCLR(backbone, projection_units=8, hidden_units=16)
    model.compile(keras.optimizers.AdamW(1e-3))
    return model


def test_draws_of_dropout_go_on_where_they_were(views, tmp_path):
    """Keras does not save where they are; without that, the masks of the start come again."""
    whole = with_dropout()
    whole.fit(views, epochs=2, verbose=0)
    with_dropout().fit(views, epochs=1, callbacks=[Checkpoint(tmp_path / "run", views)], verbose=0)
    resumed = with_dropout()
    checkpoint = Checkpoint(tmp_path / "run", views)
    first = checkpoint.resume(resumed)
    resumed.fit(views, epochs=2, initial_epoch=first, callbacks=[checkpoint], verbose=0)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_optimizer_that_excludes_variables_can_begin_and_resume(views, tmp_path):
    def made():
        keras.utils.set_random_seed(0)
        model = harl_tf.SimCLR(tiny_pyramid(), projection_units=8, hidden_units=16)
        optimizer = harl_tf.optimizers.LARS(0.1)
        optimizer.exclude_variables(model.backbone.layers[1].trainable_variables)
        model.compile(optimizer)
        return model

    model, checkpoint = made(), Checkpoint(tmp_path / "run", views)
    assert checkpoint.resume(model) == 0
    model.fit(views, epochs=1, callbacks=[checkpoint], verbose=0)
    assert Checkpoint(tmp_path / "run", views).resume(made()) == 1
