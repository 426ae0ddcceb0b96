"""Recipes: every line has a source, every recipe builds, and its figures are the published ones."""

import dataclasses
import json
import math

import keras
import numpy as np
import pytest

from harl_tf.precision import dtype_policy
from harl_tf.recipes import RECIPES, Part
from harl_tf.recipes.optimizers import SGDSettings
from harl_tf.recipes.over_run import flat
from tests.networks import tiny_pyramid

ALL = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
PHOTOGRAPHS = 1_281_167  # of ImageNet

# Peak and epochs of warm-up by hand, from the papers: base rate × batch / 256.
PUBLISHED = {
    "harl_100": (0.2 * 16, 10),
    "harl_300": (0.5 * 16, 10),
    "harl_1000": (0.3 * 16, 10),
    "hapicl_simclr": (0.3 * 4, 10),
    "hapicl_moco": (0.3 * 2, 10),
    "hapicl_fused_14x14": (0.3 * 2, 10),
    "simclr_100": (4.8, 10),
    "moco_v2_200": (0.03, 0),
    "moco_v2_800": (0.03, 0),
    "densecl_200": (0.03, 0),
    "byol_100": (7.2, 10),
    "byol_300": (4.8, 10),
    "byol_1000": (3.2, 10),
    "simsiam_100": (0.1, 0),
    "pixpro_100": (4.0, 5),
    "pixpro_400": (4.0, 5),
    "detcon_b_100": (3.2, 1),
}


def test_names_are_those_of_the_recipes():
    assert all(name == recipe.name for name, recipe in RECIPES.items())
    small = {name for name in RECIPES if name.endswith("_small")}
    assert set(PUBLISHED) == set(RECIPES) - small


@ALL
def test_every_line_has_a_source_and_every_source_a_line(recipe):
    lines = recipe.lines()
    names = [line.name for line in lines]
    assert len(names) == len(set(names))
    assert set(names) == set(recipe.sources)
    assert all(line.value and line.source for line in lines)


@pytest.mark.parametrize("name", PUBLISHED)
def test_learning_rate_has_the_published_peak_warm_up_and_end(name):
    recipe, (peak, warmup_epochs) = RECIPES[name], PUBLISHED[name]
    per_epoch = PHOTOGRAPHS // recipe.batch_size
    steps, warmup = recipe.epochs * per_epoch, warmup_epochs * per_epoch
    optimizer = recipe.optimizer(steps, per_epoch, recipe.batch_size)
    rate = keras.optimizers.schedules.deserialize(
        keras.optimizers.serialize(optimizer)["config"]["learning_rate"]
    )
    start = 0.04 if name.startswith("pixpro") else peak if warmup == 0 else 0.0
    middle = warmup + (steps - warmup) // 2
    assert float(rate(0)) == pytest.approx(start, rel=1e-5)
    assert float(rate(warmup)) == pytest.approx(peak, rel=1e-5)
    assert float(rate(middle)) == pytest.approx(peak / 2, rel=1e-3)
    assert float(rate(steps)) == pytest.approx(0.0, abs=1e-6)
    if warmup:
        assert float(rate(warmup // 2)) == pytest.approx((start + peak) / 2, rel=1e-2)


def test_another_batch_scales_the_rate_and_a_short_run_the_warm_up():
    """0.3 × 64 / 256 = 0.075. Of 10 steps, ten epochs of 4 would be all; it is half of them."""
    recipe = dataclasses.replace(RECIPES["simclr_100"], batch_size=64)
    rate = recipe.optimizer.rate.schedule(10, 4, recipe.batch_size)
    assert float(rate(5)) == pytest.approx(0.075)
    assert float(rate(10)) == 0.0


def test_weight_decay_is_that_within_the_momentum():
    """Without gradient PyTorch's SGD has v = 0.9 v + 1e-4 w, w = w - 0.03 v.

    The momentum lags by 1 / (1 - 0.9) = 10 updates of 400.
    """
    weight, velocity = 1.0, 0.0
    for _ in range(400):
        velocity = 0.9 * velocity + 1e-4 * weight
        weight -= 0.03 * velocity
    settings = RECIPES["moco_v2_200"].optimizer
    optimizer = dataclasses.replace(settings)(10**9, 1, 256)
    variable = keras.Variable(1.0)
    for _ in range(400):
        optimizer.apply([np.float32(0.0)], [variable])
    assert isinstance(settings, SGDSettings)
    assert 1 - float(variable.numpy()) == pytest.approx(1 - weight, rel=0.03)


def value(settings, steps, share):
    """A setting at a share of the run."""
    schedule = settings.build(steps)
    return float(schedule(round(share * steps)))


def test_momentum_and_weights_move_as_published():
    """cos(π/2) = 0 in the middle: half of the way. β of the 1000-epoch run ends at its floor."""
    harl, byol = RECIPES["harl_1000"].settings, RECIPES["byol_1000"].settings
    moco = RECIPES["hapicl_moco"].settings["momentum"]
    shares = (0.0, 0.5, 1.0)
    whole = [value(harl["whole_weight"], 100, share) for share in shares]
    assert whole == pytest.approx([0.9, 0.45, 0.3])
    assert [value(byol["momentum"], 100, s) for s in shares] == pytest.approx([0.996, 0.998, 1.0])
    assert [value(moco, 100, s) for s in shares] == pytest.approx([0.99, 0.9945, 0.999])


@ALL
def test_every_recipe_builds_and_comes_back_from_its_configuration(recipe):
    """On a network of three convolutions, whose maps take the names that the recipe asks for."""
    backbone = tiny_pyramid()
    pixel = recipe.settings.get("pixel")
    if pixel is not None and "level" in pixel.settings:
        pixel = Part(pixel.make, {**pixel.settings, "level": ("P2", "P3")})
        recipe = dataclasses.replace(recipe, settings={**recipe.settings, "pixel": pixel})
    model = recipe.build_model(steps=10, backbone=backbone)
    model.compile(recipe.optimizer(10, 2, recipe.batch_size))
    assert isinstance(model, recipe.method)
    config = json.dumps(model.get_config())  # as a file would have it
    again = json.loads(json.dumps(type(model).from_config(json.loads(config)).get_config()))
    expected = json.loads(config)
    # tests/backbones has the backbone, whose layers Keras may number anew.
    assert again.pop("backbone").keys() == expected.pop("backbone").keys()
    assert again == expected
    assert keras.config.dtype_policy().name == "float32"


def test_precision_is_the_recipes_whatever_the_global_policy():
    recipe = dataclasses.replace(
        RECIPES["simclr_small"], settings={"hidden_units": 16}, precision="mixed_bfloat16"
    )
    model = recipe.build_model(steps=2)
    policies = {layer.dtype_policy.name for layer in model.branches["instance"].projector.layers}
    assert policies == {"mixed_bfloat16"}
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", ["harl_100", "hapicl_moco"])
def test_steps_at_tiny_size(name, records):
    """LARS, and SGD beside a queue; three steps move the weights.

    In bfloat16: the first steps of float16 go into finding the scale of the loss.
    """
    small = {"hidden_units": 16, "projection_units": 8, "queue_size": 16}

    def shrunk(settings):
        found = {key: small.get(key, each) for key, each in settings.items()}
        for name, part in found.items():
            if isinstance(part, Part):
                found[name] = Part(part.make, shrunk(part.settings))
        return found

    recipe = RECIPES[name]
    recipe = dataclasses.replace(
        recipe,
        settings=shrunk(recipe.settings),
        image_size=32,
        batch_size=4,
        precision="mixed_bfloat16",
    )
    views = recipe.views(records)
    steps = views.steps_per_epoch
    with dtype_policy(recipe.precision):
        backbone = tiny_pyramid()
    model = recipe.build_model(steps, backbone)
    model.compile(recipe.optimizer(steps, steps, recipe.batch_size))
    before = [variable.numpy() for variable in model.trainable_variables]
    history = model.fit(views, epochs=1, verbose=0).history
    assert math.isfinite(history["loss"][0])
    pairs = zip(before, model.trainable_variables, strict=True)
    assert np.mean([not np.array_equal(old, new.numpy()) for old, new in pairs]) > 0.9


def test_changing_a_recipe_leaves_the_published_one():
    changed = dataclasses.replace(RECIPES["harl_100"], batch_size=64)
    assert changed.batch_size == 64
    assert RECIPES["harl_100"].batch_size == 4096
    with pytest.raises(dataclasses.FrozenInstanceError):
        changed.epochs = 3


def test_small_recipes_differ_in_the_method_only():
    methods = {"name", "title", "method", "settings", "sources", "colors"}
    small = [recipe for name, recipe in RECIPES.items() if name.endswith("_small")]
    assert len(small) == 10
    for recipe in small:
        for field in dataclasses.fields(recipe):
            if field.name not in methods:
                assert getattr(recipe, field.name) == getattr(small[0], field.name), field.name


def test_views_are_the_recipes(records):
    recipe = dataclasses.replace(RECIPES["byol_100"], batch_size=4, image_size=32)
    views = recipe.views(records, seed=3)
    assert (views.batch_size, views.image_size, views.seed) == (4, 32, 3)
    assert views.crop1.area == views.crop2.area == (0.08, 1.0)


@pytest.mark.parametrize(
    ("photographs", "batch", "passes"),
    [
        (12, 8, 50),  # no batch is smaller than 8; one step a pass
        (60, 8, 8),  # a quarter is 15; 7 steps a pass, and 50 / 7 = 7.1
        (376, 64, 10),  # a quarter is 94; 5 steps
        (3000, 128, 3),  # 23 steps
        (1_000_000, 128, 1),
    ],
)
def test_small_recipe_follows_the_number_of_photographs(photographs, batch, passes):
    recipe = RECIPES["hapicl_small"].for_photographs(photographs)
    assert (recipe.batch_size, recipe.passes_per_epoch) == (batch, passes)
    unchanged = dataclasses.replace(recipe, batch_size=128, passes_per_epoch=1)
    assert unchanged == RECIPES["hapicl_small"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipe_is_the_same_for_any_number_of_photographs(name):
    assert RECIPES[name].for_photographs(60) == RECIPES[name]


def test_small_network_follows_the_size_of_the_views():
    """A stem of stride 2, then three groups of stride 2: 16. From 160 pixels on the stem has 4."""
    for image_size, level, stride in ((48, "P4", 16), (144, "P4", 16), (160, "P5", 32)):
        recipe = dataclasses.replace(RECIPES["hapicl_small"], image_size=image_size)
        model = recipe.build_model(steps=10)
        assert list(model.backbone.output)[-1] == level
        cells = model.backbone.compute_output_shape((1, image_size, image_size, 3))[level][1]
        assert cells == image_size // stride
        assert recipe.network.stride_for(image_size) == stride


@pytest.mark.parametrize(("count", "keys"), [(60, 24), (376, 128), (10_000, 1024)])
def test_queue_has_at_most_half_as_many_keys_as_photographs(count, keys):
    """An image's own earlier keys would be among its negatives; whole batches of 8, 64 and 128."""
    for name in ("moco_v2_small", "densecl_small", "hapicl_moco_small"):
        recipe = RECIPES[name].for_photographs(count)
        sizes = [size for each, size in flat(recipe.settings).items() if "queue_size" in each]
        assert sizes == [keys], name
        assert keys % recipe.batch_size == 0
    published = RECIPES["moco_v2_200"].for_photographs(count).settings["queue_size"]
    assert published == 65536
