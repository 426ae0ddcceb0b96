"""``--from``: a run begins with given weights, remembers them, and refuses others."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.callbacks import Checkpoint
from harl_tf.commands.pretraining import starting
from harl_tf.commands.refusal import CommandError
from harl_tf.zoo import Start
from tests.commands.pretraining.test_pretrain import SMALL, command, refused, tiny
from tests.networks import tiny_pyramid

__all__ = ["tiny"]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """An exported backbone and its network."""
    keras.utils.set_random_seed(5)
    network = tiny_pyramid()
    folder = tmp_path_factory.mktemp("starting") / "backbone"
    return harl_tf.export_backbone(harl_tf.SimSiam(network, 16, 8), folder), network


@pytest.fixture
def saved(tmp_path):
    """A file of a whole model that does not say which values it takes; maps P1 and P2."""
    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(image)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(keras.layers.ReLU()(x))
    x = keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(image, x).save(tmp_path / "a.keras")
    return tmp_path / "a.keras"


def line(records, run, *options, recipe="tiny", epochs=1):
    return ("pretrain", records, run, "--recipe", recipe, *SMALL, "--epochs", epochs, *options)


def settings(run):
    return json.loads((run / "run.json").read_text())


@pytest.mark.parametrize(
    "recipe",
    [
        "hapicl_small",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("harl_small", "byol_small", "pixpro_small")
        ),
    ],
)
def test_recipes_begin_with_an_export(records, tmp_path, capsys, backbone, recipe, monkeypatch):
    """Before the first step, and in what is exported, whose maps are the start's."""
    folder, network = backbone
    seen = []

    def look(self, logs=None):
        seen.append(self.model.backbone.get_weights())

    monkeypatch.setattr(harl_tf.callbacks.EpochLog, "on_train_begin", look)
    run = tmp_path / "run"
    assert command(*line(records, run, "--from", folder, recipe=recipe)) == 0
    for found, expected in zip(seen[0], network.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert sorted(harl_tf.load_backbone(run / "backbone").output) == ["P1", "P2", "P3"]
    out = capsys.readouterr().out
    assert f"From: {folder}, exported backbone, maps P1, P2, P3; pixel values: raw" in out
    assert "8 pixels per cell of the last map" in out
    assert "random start" not in out
    for file in (run / "recipe.txt", run / "backbone" / "MODEL_CARD.md"):
        assert f"{folder}, exported backbone" in file.read_text()
    assert settings(run)["start"]["path"] == str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--strategy", "mirrored"), ("--precision", "mixed_bfloat16")])
def test_strategies_and_precisions(
    records, tmp_path, backbone, tiny, two_replicas, monkeypatch, options
):
    monkeypatch.setattr(
        harl_tf.distribution, "make_strategy", lambda name: two_replicas, raising=False
    )
    run = tmp_path / "run"
    for epochs in (1, 2):  # the second one goes on
        assert command(*line(records, run, "--from", backbone[0], *options, epochs=epochs)) == 0
    assert settings(run)["parts"] == [1, 2]
    assert sorted(harl_tf.load_backbone(run / "backbone").output) == ["P1", "P2", "P3"]


@pytest.mark.slow
def test_run_from_a_saved_model_is_resumed_and_goes_on(records, tmp_path, capsys, saved, tiny):
    """From the run's own last epoch, whatever the start was; and a run can begin with a run."""
    run = tmp_path / "run"
    begin = ("--from", saved, "--from-values", "signed")
    assert command(*line(records, run, *begin)) == 0
    assert command(*line(records, run, *begin, epochs=2)) == 0
    assert "Going on after epoch 1 with 1 more" in capsys.readouterr().out
    assert settings(run)["parts"] == [1, 2]
    assert (run / "recipe.txt").read_text().count("signed, as you said") == 1
    assert command(*line(records, tmp_path / "next", "--from", run)) == 0
    assert f"From: {run}, exported backbone" in capsys.readouterr().out


@pytest.mark.slow
def test_other_start_than_the_runs(records, tmp_path, capsys, saved, backbone, tiny, monkeypatch):
    run, begin = tmp_path / "run", ("--from", saved, "--from-values")
    assert command(*line(records, run, *begin, "signed")) == 0
    capsys.readouterr()
    other = "with other weights or pixel values than"
    assert other in refused(capsys, *line(records, run, *begin, "unit"))
    assert f"begun from {saved}; give --from {saved}" in refused(capsys, *line(records, run))
    model = keras.saving.load_model(saved)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.save(saved)
    assert other in refused(capsys, *line(records, run, *begin, "signed"))
    assert command(*line(records, tmp_path / "random")) == 0
    capsys.readouterr()
    sentence = "was begun from random weights; leave out --from"
    assert sentence in refused(
        capsys, *line(records, tmp_path / "random", "--from", backbone[0], epochs=3)
    )


@pytest.mark.slow
def test_interrupted_run_ends_with_the_weights_of_one_that_was_not(
    records, tmp_path, backbone, tiny, monkeypatch
):
    save = Checkpoint.on_epoch_end

    def interrupt(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        save(self, epoch, logs)

    begin = ("--from", backbone[0])
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "on_epoch_end", interrupt)
        assert command(*line(records, tmp_path / "run", *begin, epochs=2)) == 130
    for run in ("run", "whole"):
        assert command(*line(records, tmp_path / run, *begin, epochs=2)) == 0
    found, expected = (
        harl_tf.load_backbone(tmp_path / run / "backbone").get_weights() for run in ("run", "whole")
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--from", "nowhere"), "There is no nowhere, neither as a file"),
        (("--from-values", "unit"), "--from-values says what --from takes; give --from, too."),
        (("--from", "{saved}"), "does not say which pixel values its network was trained with"),
        (("--from", "{backbone}", "--image-size", 36), "a multiple of 8, the pixels per cell"),
        (("--from", "{backbone}", "--recipe", "hapicl_fused"), "works on the map P4 and P5, which"),
        (("--from", "{backbone}", "--from-values", "caffe"), "cannot be trained."),
    ],
)
def test_start_that_cannot_be_used(
    records, tmp_path, capsys, saved, backbone, tiny, monkeypatch, options, sentence
):
    fused = harl_tf.recipes.Part(harl_tf.methods.PixelContrast, {"level": ("P4", "P5")})
    recipe = harl_tf.recipes.RECIPES["hapicl_small"]
    recipe = dataclasses.replace(
        recipe, name="hapicl_fused", settings={**recipe.settings, "pixel": fused}
    )
    monkeypatch.setitem(harl_tf.recipes.RECIPES, "hapicl_fused", recipe)
    filled = [str(each).format(saved=saved, backbone=backbone[0]) for each in options]
    assert sentence in refused(capsys, *line(records, tmp_path / "run", *filled))
    assert not (tmp_path / "run").exists()


def test_network_for_images_of_one_size(records, tmp_path, capsys, tiny):
    image = keras.Input((64, 64, 3))
    cells = keras.layers.Reshape((64, 4))(keras.layers.Conv2D(4, 8, strides=8)(image))
    maps = {"P3": keras.layers.Reshape((8, 8, 4))(keras.layers.Dense(4)(cells))}
    keras.Model(image, maps).save(tmp_path / "a.keras")
    begin = ("--from", tmp_path / "a.keras", "--from-values", "raw")
    err = refused(capsys, *line(records, tmp_path / "run", *begin))
    assert "takes images of 64×64 pixels only, not 32; use --image-size 64." in err
    probed = ("--image-size", 64, "--labeled", records)  # elsewhere at 85 pixels
    assert command(*line(records, tmp_path / "run", *begin, *probed)) == 0
    assert "before training: kNN" in capsys.readouterr().out
    facts = json.loads((tmp_path / "run" / "backbone" / "metadata.json").read_text())
    assert facts["card"]["image_size"] == 64


def test_maps_by_number_that_a_start_does_not_have():
    """The recipe fuses the last two maps; the start has one."""
    image = keras.Input((None, None, 3))
    maps = {"P1": keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)}
    start = Start("mine", "", False, harl_tf.backbones.feature_pyramid(keras.Model(image, maps)))
    sentence = r"works on the map -2 and -1, which mine does not have; it has P1\."
    with pytest.raises(CommandError, match=sentence):
        starting.check(start, harl_tf.recipes.RECIPES["hapicl_small"])
