"""Clipping and accumulation against closed forms, on one device and on two replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.precision import dtype_policy
from harl_tf.pretraining import (
    Branch,
    BranchOutput,
    LossTerm,
    Pretraining,
    channels,
    pooled,
    select_map,
    step,
)
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
]


@pytest.mark.parametrize(("argument", "value", "instead"), REFUSED)
@pytest.mark.parametrize("scaled", [False, True])
def test_optimizer_that_clips_is_refused_on_replicas(
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
def test_optimizer_that_clips_is_accepted_on_one_device(argument, value, _):
    step.check_settings(keras.optimizers.SGD(0.1, **{argument: value}), 1, None)


@pytest.mark.parametrize("scaled", [False, True])
def test_optimizer_that_accumulates_is_refused(scaled):
    optimizer = keras.optimizers.AdamW(0.1, gradient_accumulation_steps=2)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    with pytest.raises(ValueError, match=r"accumulation_steps=2\) and a batch 2 times as large"):
        tiny_methods()["simclr"]().compile(optimizer)


class Brightness(Branch):
    """A loss whose gradient overflows float16 in a bright image and not in a dark one."""

    def __init__(self):
        super().__init__(name="brightness")

    def connect(self, maps):
        self.head = keras.layers.Dense(2)
        self.head.build((None, channels(maps)))

    def loss_terms(self, forward):
        cells = select_map(forward.online[0])
        factor = tf.reduce_mean(tf.cast(forward.views[0].images, tf.float32), (1, 2, 3)) / 25.5
        used = tf.reduce_sum(tf.cast(self.head(pooled(cells)), tf.float32), -1)
        values = tf.reduce_sum(tf.cast(cells, tf.float32), (1, 2, 3)) * factor + 0 * used
        return BranchOutput(LossTerm(values))


class Plain(keras.layers.Layer):
    """No augmentation."""

    def call(self, images, draws):
        return tf.cast(images, tf.float32)


@pytest.mark.parametrize("clip", [None, 1.0])
def test_overflow_on_another_replica_than_the_first_skips_the_update_of_all(two_replicas, clip):
    """The second image's gradient overflows at a scale of 2^15, the first one's does not."""
    images = np.zeros((2, 16, 16, 3), np.uint8)
    images[0], images[1] = 3, 255
    batch = {f"view{view}": images for view in (1, 2)}
    batch |= {f"mask{view}": images[..., 0] * 0 for view in (1, 2)}
    batch |= {f"draws{view}": np.zeros((2, 9), np.float32) for view in (1, 2)}
    with dtype_policy("mixed_float16"), two_replicas.scope():
        keras.utils.set_random_seed(0)
        image = keras.Input((None, None, 3))
        maps = {"P2": keras.layers.Conv2D(4, 3, strides=4)(image)}
        network = harl_tf.backbones.feature_pyramid(keras.Model(image, maps))
        model = Pretraining(network, {"it": Brightness()}, augmentations=[Plain(), Plain()])
        model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), global_clip_norm=clip)
    before = model.get_weights()
    model.fit(tf.data.Dataset.from_tensors(batch), epochs=1, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 0
    for expected, found in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    model.fit(tf.data.Dataset.from_tensors(batch).repeat(8), epochs=1, verbose=0)
    assert int(model.optimizer.iterations.numpy()) > 0  # the scale has come down
    assert all(np.isfinite(each).all() for each in model.get_weights())


def test_gradients_of_embeddings_add_up(records):
    """They are sparse. Two halves of a batch give the gradient of the whole, as they are alike."""

    class Placed(keras.layers.Layer):
        def build(self, shape):
            self.places = keras.layers.Embedding(16, shape[-1])
            self.places.build(None)

        def call(self, maps):
            return maps + tf.reshape(self.places(tf.range(16)), (4, 4, -1))

    def trained(parts):
        keras.utils.set_random_seed(0)
        image = keras.Input((32, 32, 3))
        maps = {"P3": Placed()(keras.layers.Conv2D(4, 8, strides=8)(image))}
        network = harl_tf.backbones.feature_pyramid(keras.Model(image, maps), mean=None)
        model = harl_tf.SimSiam(network, 8, 8, augmentations=[Plain(), Plain()])
        model.compile(keras.optimizers.SGD(0.1), accumulation_steps=parts)
        batch = next(iter(views_of(records).from_epoch(0)))
        half = {key: tf.concat([value[:2], value[:2]], 0) for key, value in batch.items()}
        model.train_on_batch(half)
        return [each.numpy() for each in model.trainable_variables]

    for whole, in_parts in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(in_parts, whole, atol=1e-5)


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
