"""The length of a run, in whatever its user thinks, through the command."""

import dataclasses
import json

import keras
import pytest

import harl_tf
from harl_tf.commands import parse_arguments
from harl_tf.commands.pretraining import budget, pretrain, watching
from harl_tf.commands.refusal import CommandError
from harl_tf.recipes import RECIPES
from harl_tf.runs import RunFolder
from tests.commands.pretraining.test_pretrain import SMALL, TinyNetwork, command, tiny

__all__ = ["tiny"]


@pytest.fixture
def untrained(monkeypatch, tiny):
    """Everything but training and export."""
    monkeypatch.setattr(pretrain, "_train", lambda *_: None)
    monkeypatch.setattr(pretrain, "_export", lambda *_: None)


@dataclasses.dataclass(frozen=True)
class Normalized(TinyNetwork):
    """A convolution and its normalization by the batch."""

    momentum: float

    def build(self, image_size):
        image = keras.Input((image_size, image_size, 3))
        x = keras.layers.Conv2D(8, 8, strides=8)(image)
        x = keras.layers.BatchNormalization(momentum=self.momentum)(x)
        return harl_tf.backbones.feature_pyramid(keras.Model(image, {"P3": x}), mean=None)


def test_epoch_much_longer_than_the_time_is_refused():
    """A million photographs: 7,812 steps of .4 s are 52 minutes, 58 with what else takes time."""
    recipe = RECIPES["byol_small"]
    with pytest.raises(CommandError, match=r"52\.1 minutes.*--minutes 58 or more"):
        budget.in_epochs({"minutes": 10}, recipe, 7812, lambda: budget.Costs(0.4))
    assert budget.in_epochs({"minutes": 58}, recipe, 7812, lambda: budget.Costs(0.4)).epochs == 1
    assert budget.in_epochs({"minutes": 30}, recipe, 7812, lambda: budget.Costs(0.4)).epochs == 1


def test_run_of_many_steps_is_told_unless_it_was_asked_for_in_time():
    """A million photographs in 40 epochs of 7,812 steps."""
    recipe = RECIPES["byol_small"]
    (sentence,) = budget.warnings(recipe, 1_000_000, 7812)
    assert sentence.startswith("312480 steps take hours on a few processor cores. --minutes or")
    assert budget.warnings(recipe, 1_000_000, 7812, in_time=True) == []


def begun(run):
    return json.loads((run / "run.json").read_text())


def pretrain_tiny(records, run, *options):
    return command("pretrain", records, run, "--recipe", "tiny", *SMALL, *options)


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (3, 1), (7, 3)])
def test_steps_are_rounded_up_to_whole_epochs(records, tmp_path, untrained, steps, epochs):
    """Three steps an epoch."""
    assert pretrain_tiny(records, tmp_path / "run", "--steps", steps) == 0
    assert begun(tmp_path / "run")["epochs"] == epochs


@pytest.mark.parametrize(
    ("option", "epochs", "said"),
    [
        # .9 × 600 s / .5 s = 1080 steps of three an epoch
        (("--minutes", 10), 360, "A step takes 0.50 s: 10 minutes are 360 epochs, 1080 steps."),
        (("--hours", 0.5), 1080, "A step takes 0.50 s: 0.5 hours are 1080 epochs, 3240 steps."),
        (("--minutes", 0.01), 1, "One epoch alone takes 0.0 minutes."),
    ],
)
def test_time_becomes_epochs(
    records, tmp_path, untrained, monkeypatch, capsys, option, epochs, said
):
    monkeypatch.setattr(budget, "measure", lambda *_: 0.5)
    assert pretrain_tiny(records, tmp_path / "run", *option) == 0
    assert begun(tmp_path / "run")["epochs"] == epochs
    assert said in capsys.readouterr().out


def test_interrupted_run_keeps_the_epochs_it_was_begun_with(
    records, tmp_path, monkeypatch, capsys, tiny
):
    """Measured again, a step would take another time, and the schedules would differ."""
    run = tmp_path / "run"
    monkeypatch.setattr(RunFolder, "finish", lambda self: None)  # as if killed just before
    monkeypatch.setattr(budget, "measure", lambda *_: 5.0)
    assert pretrain_tiny(records, run, "--minutes", 0.6) == 0  # .9 × 36 s / 5 s = 6 steps
    assert begun(run)["epochs"] == 2
    monkeypatch.setattr(budget, "measure", lambda *_: 1.0)
    assert pretrain_tiny(records, run, "--minutes", 0.6) == 0
    assert begun(run)["epochs"] == 2
    assert "Trained already." in capsys.readouterr().out
    assert pretrain_tiny(records, run, "--minutes", 5) == 2
    assert "begun with epochs 2, not a length of 5 minutes, and is not" in capsys.readouterr().err


def test_step_is_measured_on_the_records(records, tmp_path, tiny, untrained, capsys, monkeypatch):
    """Twelve photographs: several epochs of them."""
    monkeypatch.setattr(budget, "_SECONDS", 0.1)
    assert pretrain_tiny(records, tmp_path / "run", "--minutes", 1) == 0
    assert "A step takes 0." in capsys.readouterr().out
    assert begun(tmp_path / "run")["length"] == "1 minutes"


def test_few_steps_and_a_large_batch_are_said(records, tmp_path, untrained, capsys):
    assert pretrain_tiny(records, tmp_path / "run", "--epochs", 2) == 0
    assert "Note: 6 steps are few to learn from a random start. Use --epochs 167" in (
        capsys.readouterr().out
    )
    assert pretrain_tiny(records, tmp_path / "other", "--epochs", 167) == 0
    assert "Note:" not in capsys.readouterr().out


def test_statistics_that_lag_behind_are_said(
    records, tmp_path, untrained, tiny, monkeypatch, capsys
):
    """.999 to the 6th is .994; a momentum of .9, as the recipes' networks have, is quick."""
    monkeypatch.setitem(RECIPES, "tiny", dataclasses.replace(tiny, network=Normalized(0.999)))
    assert pretrain_tiny(records, tmp_path / "slow", "--epochs", 2) == 0
    assert "of momentum 0.999, are still 99 %" in capsys.readouterr().out
    monkeypatch.setitem(RECIPES, "tiny", dataclasses.replace(tiny, network=Normalized(0.9)))
    assert pretrain_tiny(records, tmp_path / "quick", "--epochs", 2) == 0
    assert "statistics" not in capsys.readouterr().out


def test_two_lengths_are_refused(capsys):
    with pytest.raises(SystemExit):
        parse_arguments(["harl_tf", "pretrain", "a", "b", "--steps", "3", "--minutes", "5"])
    assert "--minutes: not allowed with argument --steps" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "x", "inf", "nan"])
def test_time_that_is_none_is_refused(capsys, text):
    with pytest.raises(SystemExit):
        parse_arguments(["harl_tf", "pretrain", "a", "b", f"--minutes={text}"])
    assert f"expected a positive number, received {text}" in capsys.readouterr().err


def test_probes_are_part_of_the_time_and_take_a_fifth_at_most(
    records, untrained, tmp_path, monkeypatch, capsys
):
    """Of 54 seconds, six probes of 2 s leave 42 for steps of .1 s; their number is kept."""
    monkeypatch.setattr(budget, "measure", lambda *_: 0.1)
    monkeypatch.setattr(watching, "seconds_of_probe", lambda *_: 2.0)
    run = tmp_path / "run"
    assert pretrain_tiny(records, run, "--minutes", 1, "--labeled", records) == 0
    assert (begun(run)["probes"], begun(run)["epochs"]) == (6, 140)
    assert "6 probes of the labeled photographs 12 s: 1 minute is 140 epochs" in (
        capsys.readouterr().out
    )
