"""A finished run goes on with more epochs, through the command."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.callbacks import Checkpoint
from harl_tf.recipes import RECIPES, Rate
from harl_tf.runs import model_in_parts, optimizer_in_parts
from tests.commands.pretraining.test_pretrain import SMALL, command, refused, rows, tiny
from tests.networks import tiny_pyramid

__all__ = ["tiny"]


@dataclasses.dataclass(frozen=True)
class AdamWSettings:
    """A user's own optimizer in a recipe."""

    rate: Rate

    def __call__(self, steps, steps_per_epoch, batch_size):
        return keras.optimizers.AdamW(self.rate.schedule(steps, steps_per_epoch, batch_size))


@pytest.fixture(params=[pytest.param("momentum", marks=pytest.mark.slow), "adamw"])
def recipe(request, tiny, monkeypatch):
    settings = {**tiny.settings, "momentum": RECIPES["byol_small"].settings["momentum"]}
    changed = dataclasses.replace(tiny, method=harl_tf.BYOL, settings=settings)
    if request.param == "adamw":
        changed = dataclasses.replace(changed, optimizer=AdamWSettings(Rate(0.1, 1)))
    monkeypatch.setitem(RECIPES, "tiny", changed)
    return dataclasses.replace(changed, batch_size=4, image_size=32, precision="float32")


def line(records, run, *options):
    return ("pretrain", records, run, "--recipe", "tiny", *SMALL, *options)


def settings(run):
    return json.loads((run / "run.json").read_text())


def weights(run, recipe, ends, records):
    """The weights of the run's last checkpoint."""
    views = recipe.views(records)
    model = model_in_parts(recipe, ends, views.steps_per_epoch, tiny_pyramid())
    model.compile(optimizer_in_parts(recipe, ends, views.steps_per_epoch))
    assert Checkpoint(run, views).resume(model) == ends[-1]
    return [*model.get_weights(), *(each.numpy() for each in model.optimizer.variables)]


def in_parts(recipe, ends, records):
    """The weights of a run that had its parts from the start, in Python."""
    keras.utils.set_random_seed(0)
    views = recipe.views(records)
    model = model_in_parts(recipe, ends, views.steps_per_epoch, tiny_pyramid())
    model.compile(optimizer_in_parts(recipe, ends, views.steps_per_epoch))
    model.fit(views, epochs=ends[-1], verbose=0)
    return [*model.get_weights(), *(each.numpy() for each in model.optimizer.variables)]


@pytest.mark.slow
def test_finished_run_goes_on_and_can_be_interrupted(
    records, tmp_path, capsys, recipe, monkeypatch
):
    """Two epochs, then four; the second part is interrupted at the end of its second epoch."""
    run = tmp_path / "run"
    assert command(*line(records, run, "--epochs", 2)) == 0
    assert settings(run)["parts"] == [2]
    assert settings(run)["finished"] is True
    save = Checkpoint.on_epoch_end

    def interrupt(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt
        save(self, epoch, logs)

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "on_epoch_end", interrupt)
        assert command(*line(records, run, "--epochs", 4)) == 130
    out = capsys.readouterr().out
    assert "Going on after 2 epochs with 2 more, 6 steps, from the saved weights" in out
    assert (settings(run)["parts"], settings(run).get("finished")) == ([2, 4], None)
    assert harl_tf.load_backbone(run / "backbone").output  # the first part's

    sentence = "begun with epochs 4, not 6, and is not finished: --epochs 4 finishes it; after"
    assert sentence in refused(capsys, *line(records, run, "--epochs", 6))
    assert command(*line(records, run, "--epochs", 4)) == 0
    assert "Continuing after epoch 3." in capsys.readouterr().out
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3", "4"]
    assert settings(run)["finished"] is True
    expected = in_parts(recipe, (2, 4), records)
    for one, other in zip(weights(run, recipe, (2, 4), records), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.slow
def test_steps_are_added_and_a_third_part_follows(records, tmp_path, capsys, tiny):
    """Three steps an epoch: four steps are two more epochs."""
    run = tmp_path / "run"
    assert command(*line(records, run, "--steps", 3)) == 0
    assert command(*line(records, run, "--steps", 4)) == 0
    assert (settings(run)["parts"], settings(run)["length"]) == ([1, 3], "4 steps")
    assert command(*line(records, run)) == 0  # no length: the run's own
    assert "Trained already." in capsys.readouterr().out
    assert command(*line(records, run, "--epochs", 4)) == 0
    assert settings(run)["parts"] == [1, 3, 4]
    assert [row["epoch"] for row in rows(run)] == ["1", "2", "3", "4"]
    capsys.readouterr()
    assert "has 4 epochs already, and --epochs is the total" in refused(
        capsys, *line(records, run, "--epochs", 2)
    )
    other = line(records, run, "--epochs", 8, "--seed", 7)
    assert "was begun with seed 0, not 7" in refused(capsys, *other)


@pytest.mark.slow
def test_part_that_has_just_begun_may_be_given_another_length(
    records, tmp_path, capsys, tiny, monkeypatch
):
    """A slip of the finger, interrupted before the first of fifty epochs is saved."""
    run = tmp_path / "run"
    assert command(*line(records, run, "--epochs", 1)) == 0

    def interrupt(self, epoch, logs=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "on_epoch_end", interrupt)
        assert command(*line(records, run, "--epochs", 50)) == 130
    assert settings(run)["parts"] == [1, 50]
    assert command(*line(records, run, "--epochs", 1)) == 0
    assert "Trained already." in capsys.readouterr().out
    assert (settings(run)["parts"], settings(run)["finished"]) == ([1], True)
    assert command(*line(records, run, "--epochs", 2)) == 0
    assert settings(run)["parts"] == [1, 2]


@pytest.mark.slow
def test_time_is_added(records, tmp_path, capsys, tiny, monkeypatch):
    run = tmp_path / "run"
    monkeypatch.setattr(harl_tf.commands.pretraining.budget, "measure", lambda *_: 5.0)
    assert command(*line(records, run, "--epochs", 1)) == 0
    assert command(*line(records, run, "--minutes", 0.6)) == 0  # .9 × 36 s / 5 s = 6 steps
    assert settings(run)["parts"] == [1, 3]
    assert "Going on after epoch 1 with 2 more" in capsys.readouterr().out
