"""The interface by which a method of one's own joins the others."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.methods import PixelContrast, RegionBootstrap
from harl_tf.pretraining import Branch, BranchOutput, LossTerm, Pretraining, mlp_head
from tests.integration.train_on_worker import largest_difference, train, views_of
from tests.methods import by_hand as hand
from tests.networks import tiny_hapicl, tiny_pyramid


@keras.saving.register_keras_serializable(package="harl_tf_tests")
class Agreement(Branch):
    """Mean squared difference of the projected views, the second the target's."""

    metric_names = ("largest",)
    uses_target = True

    def __init__(self, units: int = 2) -> None:
        super().__init__(name="agreement")
        self.units = units

    def connect(self, maps) -> None:
        self.projector = mlp_head(maps["P2"].shape[-1], 4, self.units, "projector")
        self.add_target("projector")

    def loss_terms(self, forward) -> BranchOutput:
        rows = [
            tf.reduce_mean(maps["P2"], (1, 2)) for maps in (forward.online[0], forward.target[1])
        ]
        first = self.projector(rows[0], training=forward.training)
        second = self.targets["projector"](rows[1], training=forward.training)
        errors = tf.reduce_mean(tf.square(first - second), axis=-1)
        return BranchOutput(LossTerm(errors), {"largest": tf.reduce_max(errors)})


@keras.saving.register_keras_serializable(package="harl_tf_tests")
class Agree(Pretraining):
    def __init__(self, backbone, units=2, **options):
        super().__init__(backbone, {"agreement": Agreement(units)}, **options)


@pytest.mark.parametrize(
    "make",
    [Agree, lambda backbone, units: Pretraining(backbone, {"agreement": Agreement(units)})],
    ids=["subclass", "branches"],
)
def test_branch_of_ones_own_trains_reports_and_comes_back(tmp_path, make):
    keras.config.set_dtype_policy("float64")
    model, views = hand.scatter(make(hand.two_convolutions(), units=3)), hand.make_views()
    terms = model.loss_terms(*views, training=False)
    assert set(terms) == {"loss", "largest", "foreground_share", "lost_region_share"}
    branch = model.branches["agreement"]
    (first, _), (_, second) = (
        hand.pooled(hand.maps_of(network, views))
        for network in (model.backbone, model.target_backbone)
    )
    difference = hand.head(branch.projector, first) - hand.head(branch.targets["projector"], second)
    assert abs(float(terms["loss"]) - np.mean(difference**2)) <= 1e-6
    model.save(tmp_path / "agree.keras")
    loaded = keras.models.load_model(tmp_path / "agree.keras")
    assert loaded.branches["agreement"].units == 3
    again = loaded.loss_terms(*views, training=False)["loss"]
    np.testing.assert_array_equal(again, terms["loss"])


@pytest.mark.parametrize(("method", "arguments"), [("connect", 1), ("loss_terms", 1)])
def test_branch_that_lacks_a_method_says_which(method, arguments):
    class Half(Branch):
        pass

    with pytest.raises(NotImplementedError, match=rf"Half does not define {method}\(\)"):
        getattr(Half(), method)(*[None] * arguments)


def test_branch_that_forgets_an_argument_says_which():
    class Forgetful(Branch):
        def __init__(self, strength: float = 1.0) -> None:
            super().__init__(name="forgetful")

    with pytest.raises(AttributeError, match=r"Expected Forgetful to keep .* Missing: strength\."):
        Forgetful().get_config()


@keras.saving.register_keras_serializable(package="harl_tf_tests")
class PlainHeads(Branch):
    """Heads of plain Keras layers, as a newcomer writes them, and a loss per image."""

    metric_names = ("spread", "loss_twice")

    def connect(self, maps) -> None:
        inner = keras.Sequential([keras.layers.Dense(8), keras.layers.BatchNormalization()])
        self.projector = keras.Sequential([keras.Input((maps["P3"].shape[-1],)), inner])

    def loss_terms(self, forward) -> BranchOutput:
        rows = [tf.reduce_mean(forward.online[view]["P3"], (1, 2)) for view in (0, 1)]
        first, second = forward.through(self.projector, *rows)
        distances = tf.reduce_mean(tf.square(first - second), axis=-1)
        counted = tf.reduce_any(forward.views[0].masks > 0, axis=(1, 2))
        terms = (LossTerm(distances), LossTerm(2 * distances, counted, 0.5, "twice"))
        return BranchOutput(terms, {"spread": tf.math.reduce_std(first, axis=-1)})


def plain_heads() -> Pretraining:
    keras.utils.set_random_seed(0)
    model = Pretraining(tiny_pyramid(), {"plain": PlainHeads()})
    model.compile(keras.optimizers.AdamW(1e-3))
    return model


@pytest.mark.slow
def test_plain_heads_take_the_same_steps_and_report_the_same_on_two_replicas(records, two_replicas):
    """The batch normalisation within them is synchronised, and every mean is the global one."""
    keras.config.set_dtype_policy("float64")
    single = train(plain_heads, views_of(records), epochs=2)
    double = train(plain_heads, views_of(records), two_replicas, epochs=2)
    assert largest_difference(single.variables, double.variables) <= 1e-8
    assert set(single.history) >= {"loss", "spread", "loss_twice"}
    for name, values in single.history.items():
        # Metrics are counted in float32, whatever the policy.
        np.testing.assert_allclose(double.history[name], values, rtol=1e-6)


@keras.saving.register_keras_serializable(package="harl_tf_tests")
class Counting(Branch):
    """Notes how often, and with how many rows, it is told that a step is over."""

    def connect(self, maps) -> None:
        weight = {"trainable": False, "initializer": "zeros", "dtype": "int32"}
        self.calls = self.add_weight(shape=(), name="calls", **weight)
        self.rows = self.add_weight(shape=(), name="rows", **weight)

    def loss_terms(self, forward) -> BranchOutput:
        pooled = tf.reduce_mean(forward.online[0]["P3"], (1, 2))
        return BranchOutput(LossTerm(tf.reduce_mean(pooled, -1)), carry={"pooled": pooled})

    def after_step(self, carry) -> None:
        self.calls.assign_add(1)
        self.rows.assign(tf.shape(carry["pooled"])[0])


@pytest.mark.parametrize("accumulation_steps", [1, 2, 4])
def test_step_is_over_once_for_the_whole_batch(records, accumulation_steps):
    """Two steps of four images, whatever the number of parts; evaluation is no step."""
    model = Pretraining(tiny_pyramid(), {"counting": Counting()})
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), accumulation_steps=accumulation_steps)
    views = views_of(records)
    model.fit(views, epochs=1, steps_per_epoch=2, verbose=0)
    model.evaluate(views.from_epoch(0), steps=1, verbose=0)
    branch = model.branches["counting"]
    assert (int(branch.calls.numpy()), int(branch.rows.numpy())) == (2, 4)


def test_branches_of_different_settings_live_side_by_side():
    """Settings belong to the branch: a second one leaves the first as it was made."""
    for kind in (RegionBootstrap, PixelContrast):
        first, second = kind(foreground_weight=0.25), kind(foreground_weight=0.75)
        weights = [branch.settings()["foreground_weight"] for branch in (first, second)]
        assert weights == [0.25, 0.75]


def test_summary_shows_the_branches_with_their_parameters():
    """Not "0 (unbuilt)", as Keras shows a layer that was never called."""
    lines = []
    model = tiny_hapicl()
    model.summary(print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(lines)
    assert "unbuilt" not in text
    for branch in model.branches.values():
        assert f"{branch.count_params():,}" in text
