"""The interface by which a method of one's own joins the others."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf import distribution
from harl_tf.pretraining import Branch, BranchLoss, Pretraining
from harl_tf.pretraining.heads import mlp_head
from tests.methods import by_hand as hand


@keras.saving.register_keras_serializable(package="harl_tf_tests")
class Agreement(Branch):
    """Mean squared difference of the projected views, the second the target's."""

    arguments = ("units",)
    figures = ("largest",)
    uses_target = True

    def __init__(self, units: int = 2) -> None:
        super().__init__(name="agreement")
        self.units = units

    def connect(self, maps) -> None:
        self.projector = mlp_head(maps["P2"].shape[-1], 4, self.units, "projector")
        self.add_target("projector")

    def loss_terms(self, forward) -> BranchLoss:
        rows = [
            tf.reduce_mean(maps["P2"], (1, 2)) for maps in (forward.online[0], forward.target[1])
        ]
        first = self.projector(rows[0], training=forward.training)
        second = self.targets["projector"](rows[1], training=forward.training)
        errors = tf.reduce_mean(tf.square(first - second), axis=-1)
        return BranchLoss(
            distribution.share_of_global_mean(errors), {"largest": tf.reduce_max(errors)}
        )


@keras.saving.register_keras_serializable(package="harl_tf_tests")
class Agree(Pretraining):
    def __init__(self, backbone, units=2, **options):
        super().__init__(backbone, {"agreement": Agreement(units)}, **options)


def test_branch_of_ones_own_trains_reports_and_comes_back(tmp_path):
    keras.config.set_dtype_policy("float64")
    model, views = hand.scatter(Agree(hand.two_convolutions(), units=3)), hand.make_views()
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
