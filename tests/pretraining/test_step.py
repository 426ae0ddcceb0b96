"""Clipping and accumulation against closed forms, on one device and on two replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.pretraining import step
from tests.integration.train_on_worker import largest_difference, train, views_of
from tests.networks import tiny_hapicl, tiny_methods


@pytest.fixture(autouse=True)
def float64():
    keras.config.set_dtype_policy("float64")


def plain_sgd(**compilation) -> keras.Model:
    """An update of it is minus the gradient."""
    keras.utils.set_random_seed(0)
    model = tiny_methods()["simclr"]()
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True, **compilation)
    return model


def update(model, before) -> list[np.ndarray]:
    return [new.numpy() - old for new, old in zip(model.trainable_variables, before, strict=True)]


def trainable(model) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.trainable_variables]


def norm(arrays) -> float:
    return float(np.sqrt(sum((each**2).sum() for each in arrays)))


def one_step(records, strategy=None, **compilation) -> list[np.ndarray]:
    """The update of the first batch of four photographs."""
    run = train(lambda: plain_sgd(**compilation), views_of(records), strategy, steps_per_epoch=1)
    return update(run.model, trainable(plain_sgd()))


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("share", [0.25, 4.0])
def test_clipped_step_is_the_whole_gradient_scaled(records, two_replicas, replicas, share):
    """With a limit of a quarter of the gradient's norm the update is a quarter; with one of four
    times the norm it is as without. The unclipped gradient is that of one device, so a clip per
    replica, of shares of half the norm or less, would show."""
    whole = one_step(records)
    strategy = two_replicas if replicas == 2 else None
    clipped = one_step(records, strategy, global_clip_norm=share * norm(whole))
    expected = [min(share, 1.0) * each for each in whole]
    assert norm(whole) > 0.1
    assert largest_difference(clipped, expected) <= 1e-8


def test_clip_keeps_a_gradient_that_is_not_finite(records):
    """For the optimizer of mixed_float16, which halves its scale and skips the step then."""
    optimizer = keras.optimizers.SGD()
    clipped = step.clip([np.array([np.inf, 1.0]), None], 1.0, optimizer)
    assert not np.isfinite(clipped[0]).all()
    assert clipped[1] is None


@pytest.mark.parametrize("parts", [2])
def test_accumulated_step_is_the_mean_of_the_parts_steps(records, parts):
    """Parts of two photographs each, at the same weights."""
    batch = next(iter(views_of(records).from_epoch(0)))
    before, updates = trainable(plain_sgd()), []
    for part in step.split(batch, parts):
        model = plain_sgd()
        model.train_step(part)
        updates.append(update(model, before))
    model = plain_sgd(accumulation_steps=parts)
    model.train_step(batch)
    expected = [sum(each) / parts for each in zip(*updates, strict=True)]
    assert norm(updates[0]) > 0.1
    assert largest_difference(update(model, before), expected) <= 1e-8
    # One update of the weights, whatever the number of parts.
    assert model.optimizer.iterations.numpy() == 1


def test_batch_that_does_not_split_evenly_is_refused(records):
    batch = next(iter(views_of(records).from_epoch(0)))
    with pytest.raises(ValueError, match=r"accumulation_steps=3 divides.*Received: 4 examples"):
        step.split(batch, 3)


REFUSED = [
    ("global_clipnorm", 1.0, "global_clip_norm"),
    ("clipnorm", 1.0, "global_clip_norm"),
    ("clipvalue", 1.0, "global_clip_norm"),
    ("gradient_accumulation_steps", 2, "accumulation_steps"),
]


@pytest.mark.parametrize(("argument", "value", "instead"), REFUSED)
@pytest.mark.parametrize("scaled", [False, True])
def test_optimizer_that_clips_or_accumulates_is_refused_on_replicas(
    two_replicas, argument, value, instead, scaled
):
    """Also inside the optimizer of mixed_float16."""
    with two_replicas.scope():
        model = tiny_methods()["simclr"]()
        optimizer = keras.optimizers.SGD(0.1, **{argument: value})
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        with pytest.raises(ValueError, match=rf"{instead}=\.\.\.\)\. Received: {argument}={value}"):
            model.compile(optimizer)


@pytest.mark.parametrize(("argument", "value", "_"), REFUSED)
def test_optimizer_that_clips_or_accumulates_is_accepted_on_one_device(argument, value, _):
    step.check_settings(keras.optimizers.SGD(0.1, **{argument: value}), 1, None)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"accumulation_steps": 0}, r"≥ 1\. Received: accumulation_steps=0"),
        ({"global_clip_norm": 0.0}, r"> 0\. Received: global_clip_norm=0\.0"),
    ],
)
def test_settings_out_of_range_are_refused(setting, sentence):
    with pytest.raises(ValueError, match=sentence):
        plain_sgd(**setting)


def test_step_of_rate_one_is_the_gradient_of_the_loss(records):
    """Plain descent: the weights move by the gradient of what the method calls its loss, once."""
    batch = next(iter(views_of(records).from_epoch(0)))
    model = plain_sgd()
    before = trainable(model)
    with tf.GradientTape() as tape:
        loss = model.loss_terms(*model.augment(batch), training=True)["loss"]
    gradients = tape.gradient(loss, model.trainable_variables)
    model.train_step(batch)
    expected = [-gradient.numpy() for gradient in gradients]
    assert norm(expected) > 0.1
    assert largest_difference(update(model, before), expected) <= 1e-8


def test_small_gradient_survives_float16(records):
    """A loss of weight 1e-7 moves the bias of its head from 0.

    Its gradient is below the smallest float16, 6e-8, unless the loss is scaled up first. Steps
    that overflow are skipped, with half the scale for the next.
    """
    keras.config.set_dtype_policy("mixed_float16")
    batch = next(iter(views_of(records).from_epoch(0)))
    model = tiny_hapicl(pixel_weight=1e-7)
    model.compile(keras.optimizers.SGD(1.0))
    for _ in range(5):
        model.train_step(batch)
    assert int(model.optimizer.iterations) > 0
    assert model.branches["pixel"].pixel_head.layers[-1].bias.numpy().any()
