"""A recipe over the parts of a run."""

import dataclasses

import keras
import pytest

from harl_tf.recipes import RECIPES, LARSSettings, Rate
from harl_tf.runs import model_in_parts, optimizer_in_parts
from harl_tf.schedules import Cosine, InParts
from tests.networks import tiny_pyramid


def schedule(config):
    return keras.saving.deserialize_keras_object(config)


@pytest.mark.parametrize("name", ["byol_small", "harl_small", "harl_300"])
def test_one_part_is_what_the_recipe_makes(name):
    recipe = RECIPES[name]
    ours = model_in_parts(recipe, (7,), 10, tiny_pyramid()).get_config()
    theirs = recipe.build_model(70, tiny_pyramid()).get_config()
    unnamed = set(ours) - {"name", "backbone", "augmentations"}
    assert {key: ours[key] for key in unnamed} == {key: theirs[key] for key in unnamed}
    ours = optimizer_in_parts(recipe, (7,), 10).get_config()
    theirs = recipe.optimizer(70, 10, recipe.batch_size).get_config()
    assert {**ours, "name": ""} == {**theirs, "name": ""}


def test_schedules_of_the_method_run_once_over_each_part():
    """Also those of a branch: HARL's weight of the foreground."""
    model = model_in_parts(RECIPES["harl_300"], (2, 3), 10, tiny_pyramid())
    config = model.get_config()
    found = {key: config[key] for key in config if "InParts" in str(config[key])}
    assert "momentum" in found
    for each in map(schedule, found.values()):
        assert isinstance(each, InParts)
        assert each.lengths == [20]
        first, second = each.schedules
        assert isinstance(first, Cosine)
        assert (first.steps, second.steps) == (20, 10)
        assert (first.start, first.end) == (second.start, second.end)


def test_warmup_of_a_later_part_is_short():
    """Four epochs of warm-up in the first ten, one in the next ten: their tenth."""
    settings = LARSSettings(Rate(0.2, warmup_epochs=4), weight_decay=0.0)
    recipe = dataclasses.replace(RECIPES["byol_small"], optimizer=settings, batch_size=256)
    rate = schedule(optimizer_in_parts(recipe, (10, 20, 30), 10).get_config()["learning_rate"])
    found = [round(float(rate(step)), 3) for step in (40, 100, 105, 110, 200, 210, 300)]
    assert found == [0.2, 0.0, 0.1, 0.2, 0.0, 0.2, 0.0]


@pytest.mark.parametrize("ends", [(), (0,), (10, 10), (10, 5)])
def test_ends_that_do_not_rise_are_refused(ends):
    with pytest.raises(ValueError, match="Expected ends of parts"):
        optimizer_in_parts(RECIPES["byol_small"], ends, 10)
