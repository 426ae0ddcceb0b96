"""HARL's loss as the model puts it together, against the float64 reference."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.schedules import Cosine
from tests.methods import by_hand as hand


def make_model(**settings):
    keras.config.set_dtype_policy("float64")
    return hand.scatter(harl_tf.HARL(hand.two_convolutions(), **hand.SMALL, **settings))


def totals(model, views, alpha, beta, level="P2"):
    maps = hand.maps_of(model.backbone, views)
    targets = hand.maps_of(model.target_backbone, views)
    branch = model.branches["regions"]
    return hand.harl_totals(branch, maps, targets, views, alpha, beta, level)


@pytest.mark.parametrize("level", [None, "P1"])
def test_harl_hybrid_loss_agrees_with_the_reference(level):
    """The views lack regions here and there (see make_views), which leaves their terms out; an
    intermediate level has heads of its own."""
    views, settings = hand.make_views(), {"foreground_weight": 0.7, "whole_weight": 0.4}
    model = make_model(level=level, **settings)
    expected = totals(model, views, 0.7, 0.4, level or "P2")
    terms = model.loss_terms(*views, training=False)
    assert abs(float(terms["loss_whole"]) - expected.whole) <= 1e-6
    assert abs(float(terms["loss_foreground"]) - expected.foreground) <= 1e-6
    assert abs(float(terms["loss_background"]) - expected.background) <= 1e-6
    assert abs(float(terms["loss"]) - expected.hybrid) <= 1e-6


def test_harl_mask_loss_agrees_with_the_reference():
    views, model = hand.make_views(), make_model(foreground_weight=0.7, whole_weight=0)
    terms = model.loss_terms(*views, training=False)
    assert abs(float(terms["loss"]) - totals(model, views, 0.7, 0.0).mask) <= 1e-6
    assert "loss_whole" not in model.metric_names


def test_harl_foreground_hybrid_agrees_with_the_reference():
    views, model = hand.make_views(), make_model(foreground_weight=1, whole_weight=0.9)
    terms = model.loss_terms(*views, training=False)
    assert abs(float(terms["loss"]) - totals(model, views, 1.0, 0.9).foreground_hybrid) <= 1e-6
    assert "loss_background" not in model.metric_names


def test_harl_schedules_are_read_at_the_optimizers_step():
    """After 50 of 100 updates a cosine is half-way: α = 0.5 + 0.5/2, β = 0.9/2; after 90 the floor
    of 0.3 holds."""
    views = hand.make_views()
    model = make_model(
        foreground_weight=Cosine(0.5, 1.0, 100), whole_weight=Cosine(0.9, 0.0, 100, floor=0.3)
    )
    model.compile(keras.optimizers.SGD(0.1))
    model.optimizer.iterations.assign(50)
    terms = model.loss_terms(*views, training=False)
    assert abs(float(terms["loss"]) - totals(model, views, 0.75, 0.45).hybrid) <= 1e-6
    model.optimizer.iterations.assign(90)
    alpha = 1 - 0.5 * (np.cos(np.pi * 0.9) + 1) / 2
    terms = model.loss_terms(*views, training=False)
    assert abs(float(terms["loss"]) - totals(model, views, alpha, 0.3).hybrid) <= 1e-6


def test_harl_batch_without_any_foreground_has_no_foreground_term():
    first, second = (view._replace(masks=tf.zeros_like(view.masks)) for view in hand.make_views())
    model = make_model()
    terms = model.loss_terms(first, second, training=True)
    assert float(terms["loss_foreground"]) == 0.0
    assert float(terms["loss_background"]) > 0.0
    with tf.GradientTape() as tape:
        loss = model.loss_terms(first, second, training=True)["loss"]
    assert all(np.isfinite(g).all() for g in tape.gradient(loss, model.trainable_variables))


def test_harl_takes_every_region_but_the_background_as_foreground():
    views = hand.make_views(regions=3)
    binary = [view._replace(masks=tf.cast(view.masks > 0, tf.uint8)) for view in views]
    model = make_model(regions=3)
    of_three = model.loss_terms(*views, training=False)["loss"]
    assert float(of_three) == float(model.loss_terms(*binary, training=False)["loss"])


@pytest.mark.parametrize("argument", ["foreground_weight", "whole_weight"])
@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_harl_weight_out_of_range_is_refused(argument, value):
    with pytest.raises(ValueError, match=rf"{argument} within \[0, 1\].*{argument}={value}"):
        harl_tf.HARL(hand.two_convolutions(), **{argument: value})


def test_harl_unknown_level_is_refused():
    with pytest.raises(ValueError, match=r"level in \['P1', 'P2'\]. Received: level='P7'"):
        harl_tf.HARL(hand.two_convolutions(), level="P7")


def test_harl_background_without_weight_is_not_computed():
    """Whole image and foreground of two views are four projections; the background makes it six."""
    for alpha, expected in ((1, 4), (0.5, 6)):
        model, projected = make_model(foreground_weight=alpha), []
        branch = model.branches["regions"]

        def count(rows, training, projector=branch.projector, projected=projected):
            projected.append(rows)
            return projector(rows, training=training)

        branch.projector = count
        model.loss_terms(*hand.make_views(), training=False)
        assert len(projected) == expected
