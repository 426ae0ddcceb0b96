"""What every method and every option of HAPiCL must do, whatever its loss.

Each method makes one step without a graph; the tests look at what it left behind.
"""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.precision import dtype_policy
from tests.methods import by_hand as hand
from tests.networks import tiny_methods, tiny_pyramid

METHODS = tiny_methods()
WITH_TARGET = [
    name
    for name in METHODS
    if name.removeprefix("hapicl_").startswith(
        ("moco", "byol", "harl", "pixpro", "detcon", "densecl", "momentum")
    )
]
# One of each kind of variables and of arithmetic, where all 25 would only take longer.
KINDS = (
    "simclr",
    "moco_v2",
    "byol",
    "simsiam",
    "pixpro",
    "detcon",
    "densecl",
    "harl_intermediate",
    "hapicl_harl",
    "hapicl_momentum_keys",
    "hapicl_per_batch",
)
EVERY = [pytest.param(name, marks=[] if name in KINDS else pytest.mark.slow) for name in METHODS]
FAR = 1e6


def make(name: str, seed: int = 0) -> harl_tf.pretraining.Pretraining:
    keras.utils.set_random_seed(seed)
    model = METHODS[name]()
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    return model


def move(model: harl_tf.pretraining.Pretraining) -> None:
    """Moves online networks away from their targets, and their batch statistics, which training
    does not use, to where no average could overlook them."""
    for online, _ in model.momentum_pairs():
        for weight in online.weights:
            weight.assign(weight + (FAR if is_statistic(weight) else 0.01))


def values(variables) -> list[np.ndarray]:
    return [variable.numpy().copy() for variable in variables]


def is_statistic(variable) -> bool:
    return "moving" in variable.path


@dataclasses.dataclass
class Step:
    """A model after one step, and what was before."""

    model: harl_tf.pretraining.Pretraining
    pairs_at_the_start: list[tuple[list, list]]
    pairs_before: list[tuple[list, list]]
    reported: dict[str, float]


@pytest.fixture(scope="module")
def batch(records):
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    return next(iter(views.from_epoch(0)))


@pytest.fixture(scope="module")
def steps(batch):
    """One step of each method, made when it is first asked for."""
    made: dict[str, Step] = {}

    def step_of(name: str) -> Step:
        if name not in made:
            model = make(name)
            pairs = model.momentum_pairs()
            start = [(values(online.weights), values(target.weights)) for online, target in pairs]
            move(model)
            before = [(values(online.weights), values(target.weights)) for online, target in pairs]
            reported = {key: float(value) for key, value in model.train_step(batch).items()}
            made[name] = Step(model, start, before, reported)
        return made[name]

    return step_of


@pytest.mark.parametrize("name", EVERY)
def test_step_reports_finite_values_under_the_names_of_the_metrics(name, steps, batch):
    model, reported = steps(name).model, steps(name).reported
    assert set(reported) == set(model.metric_names)
    assert np.isfinite(list(reported.values())).all()
    terms = model.loss_terms(*model.augment(batch), training=False)
    assert set(terms) == set(model.metric_names)


@pytest.mark.parametrize("name", EVERY)
def test_gradient_reaches_every_trainable_variable_and_nothing_else(name, batch):
    model = make(name)
    views = model.augment(batch)
    with tf.GradientTape() as tape:
        tape.watch([weight.value for weight in model.non_trainable_variables if floats(weight)])
        loss = model.loss_terms(*views, training=True)["loss"]
    weights = [weight for weight in model.weights if floats(weight)]
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    reached = [
        weight.path
        for weight, gradient in zip(weights, gradients, strict=True)
        if gradient is not None and np.any(gradient.numpy() != 0)
    ]
    # Lists, since the weights of a target have the paths of its online network's.
    assert sorted(reached) == sorted(weight.path for weight in model.trainable_variables)


def floats(variable) -> bool:
    return str(variable.dtype).startswith("float")


@pytest.mark.parametrize("name", EVERY)
def test_no_part_of_a_target_is_trainable(name, steps):
    model = steps(name).model
    assert (name in WITH_TARGET) == bool(model.momentum_pairs())
    trainable = {id(variable) for variable in model.trainable_variables}
    for online, target in model.momentum_pairs():
        assert not trainable & {id(variable) for variable in target.variables}
        assert trainable & {id(variable) for variable in online.variables}


@pytest.mark.parametrize("name", WITH_TARGET)
def test_target_starts_equal_and_follows_by_the_formula(name, steps):
    """ξ ← τ ξ + (1 - τ) θ of the weights after the update; each batch statistic stays where the
    target's own batches put it, far from the online network's."""
    step = steps(name)
    momentum = np.float32(step.model.momentum)
    for start, before, (online, target) in zip(
        step.pairs_at_the_start, step.pairs_before, step.model.momentum_pairs(), strict=True
    ):
        for old, copy in zip(*start, strict=True):
            np.testing.assert_array_equal(old, copy)
        for old, source, copy in zip(before[1], online.weights, target.weights, strict=True):
            if is_statistic(source):
                assert np.abs(copy.numpy()).max() < FAR / 1000
                continue
            expected = old * momentum + source.numpy() * (np.float32(1) - momentum)
            np.testing.assert_array_equal(copy, expected)
            assert not np.array_equal(copy.numpy(), old)


def test_momentum_schedule_is_read_before_the_update():
    """The first step of a schedule from 0 on copies the online weights outright."""
    views = hand.make_views()
    schedule = harl_tf.schedules.Cosine(0.0, 1.0, 100)
    model = harl_tf.BYOL(hand.two_convolutions(), **hand.SMALL, momentum=schedule)
    model.compile(keras.optimizers.SGD(0.1))
    model.augment = lambda batch: views
    model.train_step({})
    for online, target in model.momentum_pairs():
        for source, copy in zip(online.weights, target.weights, strict=True):
            assert is_statistic(source) or np.array_equal(source.numpy(), copy.numpy())


@pytest.mark.parametrize("name", EVERY)
def test_test_step_changes_no_variable_but_its_means(name, steps, batch):
    """Queues, targets and statistics included."""
    model = steps(name).model
    before = values(model.weights)
    reported = model.test_step(batch)
    assert set(reported) == set(model.metric_names)
    for old, variable in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


@pytest.mark.parametrize("name", EVERY)
def test_saved_method_comes_back_whole(name, steps, batch, tmp_path):
    """Queues, targets and optimizer included."""
    model = steps(name).model
    views = model.augment(batch)
    expected = float(model.loss_terms(*views, training=False)["loss"])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    # Through JSON, which is what the file keeps: it has lists where Python has tuples.
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert_equal(loaded, model)
    assert float(loaded.loss_terms(*views, training=False)["loss"]) == expected


@pytest.mark.parametrize("name", KINDS)
def test_saved_weights_make_another_model_equal(name, steps, tmp_path):
    model, other = steps(name).model, make(name, seed=1)
    other.optimizer.build(other.trainable_variables)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_equal(other, model)


def assert_equal(copy, model):
    assert int(copy.optimizer.iterations) == 1
    for old, new in zip(model.variables, copy.variables, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        *((name, "mixed_bfloat16") for name in KINDS),
        *((name, "mixed_float16") for name in KINDS),
    ],
)
def test_reduced_precision_follows_float32(name, policy, steps, batch):
    """Half precision has 8 or 11 bits of mantissa: losses agree to a percent or so."""
    expected = steps(name).reported["loss"]
    keras.config.set_dtype_policy(policy)
    model = make(name)
    move(model)
    reported = model.train_step(batch)
    assert float(reported["loss"]) == pytest.approx(expected, rel=0.03)
    assert all(np.isfinite(value).all() for value in model.get_weights())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentum": -0.1}, r"momentum within \[0, 1\]\. Received: momentum=-0\.1"),
        ({"momentum": 1.01}, r"momentum within \[0, 1\]\. Received: momentum=1\.01"),
        ({"regions": 1}, r"regions ≥ 2\. Received: regions=1"),
        ({"augmentations": [harl_tf.layers.simclr_color()]}, r"two augmentations.*: 1 of them"),
    ],
)
def test_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        harl_tf.BYOL(hand.two_convolutions(), **settings)


def test_settings_that_all_methods_share_come_back(tmp_path):
    """Not compiled, which must not matter."""
    model = harl_tf.HARL(
        tiny_pyramid(),
        projection_units=4,
        hidden_units=8,
        momentum=harl_tf.schedules.Cosine(0.99, 1.0, 10),
        regions=3,
        share_batch_statistics=True,
        augmentations=harl_tf.layers.byol_colors(),
        name="mine",
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.name == "mine"
    assert loaded.regions == 3
    assert loaded.share_batch_statistics
    assert float(loaded.momentum(5)) == pytest.approx(0.995)
    assert loaded.augmentation1.probabilities["blur_probability"] == 1.0
    assert loaded.augmentation2.probabilities["solarize_probability"] == 0.2


def test_nine_batches_are_nine_updates_by_one_graph(batch):
    """Each step's loss has the α and β of that step, though the step is traced but once.

    A warm-up of nine updates is at its peak after them.
    """
    alpha, beta = harl_tf.schedules.Cosine(0.5, 1.0, 8), harl_tf.schedules.Cosine(0.9, 0.0, 8)
    model = harl_tf.HARL(tiny_pyramid(), alpha, beta, projection_units=16, hidden_units=32)
    rate = harl_tf.schedules.warmup_cosine(0.1, steps=10, warmup_steps=9)
    model.compile(keras.optimizers.SGD(rate))
    model.optimizer.build(model.trainable_variables)
    traced, step_of_model = [], model.train_step
    model.train_step = lambda batch: traced.append(1) or step_of_model(batch)
    train, batches = model.make_train_function(), iter(tf.data.Dataset.from_tensors(batch).repeat())
    for step in range(9):
        model.reset_metrics()  # they are means of an epoch so far
        terms = train(batches)
        regions = alpha(step) * float(terms["loss_foreground"])
        regions += (1 - alpha(step)) * float(terms["loss_background"])
        expected = beta(step) * float(terms["loss_whole"]) + (1 - beta(step)) * regions
        assert float(terms["loss"]) == pytest.approx(float(expected), abs=1e-5)
    assert len(traced) == 1
    assert int(model.optimizer.iterations) == 9
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)


def test_model_made_outside_of_the_scope_is_refused_at_once():
    """Keras would train it on one replica, without a word."""
    model = harl_tf.SimSiam(harl_tf.backbones.small_resnet(10, width=8), 16, 8)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        with pytest.raises(ValueError, match="Expected a model made inside the scope"):
            model.compile(keras.optimizers.AdamW(1e-3))
        inside = harl_tf.SimSiam(harl_tf.backbones.small_resnet(10, width=8), 16, 8)
        inside.compile(keras.optimizers.AdamW(1e-3))


def a_batch():
    random = np.random.default_rng(0)
    batch = {
        f"view{view}": random.integers(0, 256, (4, 32, 32, 3)).astype("uint8") for view in (1, 2)
    }
    batch |= {f"mask{view}": np.zeros((4, 32, 32), "uint8") for view in (1, 2)}
    batch |= {f"draws{view}": random.random((4, 9), "float32") for view in (1, 2)}
    return batch


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_loaded_model_has_the_precision_it_was_made_in(tmp_path, policy):
    """Whatever the global one is then: heads, the scale of the loss, the optimizer's state."""
    batch = a_batch()
    with dtype_policy(policy):
        model = harl_tf.SimCLR(tiny_pyramid(), 8, 8)
        model.compile(keras.optimizers.AdamW(1e-2))
        model.train_on_batch(batch)
        model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert keras.config.dtype_policy().name == "float32"
    assert loaded.dtype_policy.name == policy
    kinds = [type(each) for each in (loaded.optimizer, model.optimizer)]
    assert kinds[0] is kinds[1]
    pairs = zip(loaded.optimizer.variables, model.optimizer.variables, strict=True)
    assert all(np.array_equal(found, expected) for found, expected in pairs)
    layers = zip(loaded._flatten_layers(), model._flatten_layers(), strict=True)
    assert all(found.dtype_policy.name == made.dtype_policy.name for found, made in layers)


def test_draws_of_an_augmentation_are_in_float32():
    """In bfloat16, .9999 would be 1."""
    seen = []

    class Own(keras.layers.Layer):
        def call(self, images, draws):
            seen.append(draws.dtype)
            return tf.cast(images, tf.float32)

    with dtype_policy("mixed_bfloat16"):
        model = harl_tf.SimCLR(tiny_pyramid(), 8, 8, augmentations=[Own(), Own()])
        model.compile(keras.optimizers.AdamW(1e-2))
        model.train_on_batch(a_batch())
    assert set(seen) == {tf.float32}
