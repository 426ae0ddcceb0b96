"""Batches that are not what a method expects, and what the user is told."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf.pretraining.batch import BATCH_KEYS
from harl_tf.pretraining.step_errors import plain_errors
from tests.networks import hapicl, tiny_methods

SMALL = {"projection_units": 4, "hidden_units": 8}
TOO_LARGE = (
    "Expected mask1 with values below 2, the number of regions, 0 = background; divide masks of 0 "
    "and 255 by 255. Received: 255."
)


@pytest.fixture
def views(records):
    return harl_tf.data.PairedViews(records, batch_size=4, image_size=32)


@pytest.fixture(scope="module")
def first_batch(records):
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    return next(iter(views.from_epoch(0)))


@pytest.fixture
def batch(first_batch):
    return dict(first_batch)


def one_convolution():
    image = keras.Input((None, None, 3))
    return keras.Model(image, {"P1": keras.layers.Conv2D(4, 3, strides=8)(image / 255.0)})


def simclr(**settings):
    model = harl_tf.SimCLR(one_convolution(), **SMALL)
    model.compile(keras.optimizers.SGD(0.1), **settings)
    return model


def times_255(batch):
    return {**batch, "mask1": batch["mask1"] * tf.constant(255, tf.uint8)}


@pytest.mark.parametrize("key", BATCH_KEYS)
def test_every_key_that_is_missing_is_named(batch, key):
    del batch[key]
    with pytest.raises(ValueError, match=rf"keys view1, view2.*Missing: {key}\. Received: \["):
        simclr().augment(batch)


@pytest.mark.parametrize(
    ("method", "needs"),
    [
        ("pixpro", ["window1", "window2"]),
        ("detcon", ["seed"]),
        ("hapicl_sampled", ["seed"]),
        ("hapicl_near", ["window1", "window2"]),
        ("hapicl_sampled_near", ["window1", "window2", "seed"]),
        ("hapicl", []),
        ("harl", []),
    ],
)
def test_methods_that_need_windows_or_seeds_say_so(batch, method, needs):
    model = tiny_methods()[method]()
    rest = {key: value for key, value in batch.items() if key in BATCH_KEYS}
    if not needs:
        model.augment(rest)
        return
    missing = ", ".join(needs)
    with pytest.raises(ValueError, match=rf"draws2, {missing}, as .*Missing: {missing}\. Received"):
        model.augment(rest)


def test_batch_that_is_no_dict_is_refused():
    with pytest.raises(ValueError, match=r"Missing: view1, .*draws2\. Received: tuple"):
        simclr().augment((1, 2))


@pytest.mark.parametrize(
    ("change", "shape"),
    [
        (lambda mask: mask[:, ::2, ::2], r"\(4, 16, 16\)"),
        (lambda mask: mask[..., None], r"\(4, 32, 32, 1\)"),
    ],
    ids=["half", "channel"],
)
@pytest.mark.parametrize("name", ["mask1", "mask2"])
def test_mask_of_another_shape_is_refused(batch, name, change, shape):
    batch[name] = change(batch[name])
    with pytest.raises(
        ValueError, match=rf"Expected {name} of .* \(32, 32\), without channels.* shape {shape}"
    ):
        simclr().augment(batch)


def test_map_finer_than_the_mask_is_refused():
    """Images of four pixels, three times as many cells a side."""
    image = keras.Input((None, None, 3))
    maps = {"P0": keras.layers.UpSampling2D(3)(image)}
    model = hapicl(keras.Model(image, maps), projection_units=4, hidden_units=8)
    views = [harl_tf.pretraining.View(tf.zeros((2, 4, 4, 3)), tf.zeros((2, 4, 4)))] * 2
    with pytest.raises(ValueError, match=r"as large as the feature map 12×12.*masks of 4×4 pixels"):
        model.loss_terms(*views, training=False)


@pytest.mark.parametrize("eager", [False, True])
def test_masks_of_0_and_255_are_refused_by_one_sentence_before_any_update(views, eager):
    stream = views.from_epoch(0).map(times_255)
    model = simclr(run_eagerly=eager)
    before = model.get_weights()
    for run in (
        lambda: model.fit(stream, steps_per_epoch=1, verbose=0, shuffle=False),
        lambda: model.evaluate(stream, steps=1, verbose=0),
    ):
        with pytest.raises(ValueError, match="mask1") as error:
            run()
        assert str(error.value) == TOO_LARGE
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_masks_of_0_and_255_are_refused_by_the_same_sentence_on_replicas(views, two_replicas):
    with two_replicas.scope():
        model = simclr()
    stream = views.from_epoch(0).map(times_255)
    with pytest.raises(ValueError, match="mask1") as error:
        model.fit(stream, steps_per_epoch=1, verbose=0, shuffle=False)
    assert str(error.value) == TOO_LARGE


@pytest.mark.parametrize("regions", [2, 3])
def test_masks_of_more_regions_than_the_methods_are_refused(batch, regions):
    masks = np.zeros((4, 32, 32), "uint8")
    masks[:, :8, :8] = regions
    batch["mask2"] = tf.constant(masks)
    model = hapicl(one_convolution(), hidden_units=8, projection_units=4, regions=regions)
    with (
        pytest.raises(ValueError, match=rf"mask2 with values below {regions},.*: {regions}\."),
        plain_errors(),
    ):
        model.augment(batch)
    masks[:, :8, :8] = regions - 1
    batch["mask2"] = tf.constant(masks)
    model.augment(batch)


def test_errors_that_are_not_of_a_batch_pass_as_they_are():
    with pytest.raises(tf.errors.InvalidArgumentError), plain_errors():
        tf.debugging.assert_less(2, 1)


@pytest.mark.parametrize("as_views", [True, False])
def test_batch_that_replicas_cannot_share_is_refused(records, two_replicas, as_views):
    views = harl_tf.data.PairedViews(records, batch_size=5, image_size=32)
    with two_replicas.scope():
        model = simclr()
    with pytest.raises(ValueError, match=r"2 replicas share evenly, such as 4\..*batch_size=5"):
        model.fit(views if as_views else views.from_epoch(0), steps_per_epoch=1, verbose=0)


def test_queue_that_the_batch_does_not_divide_is_refused_by_fit(views):
    model = harl_tf.MoCoV2(one_convolution(), **SMALL, queue_size=10)
    model.compile(keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match=r"such as 8\. Received: queue_size=10 and 4 keys per"):
        model.fit(views, verbose=0)


def fit_one(batch, **settings):
    """Through ``fit``, as a user meets it."""
    model = simclr(**settings)
    data = tf.data.Dataset.from_tensors(
        {key: tf.convert_to_tensor(each) for key, each in batch.items()}
    )
    model.fit(data, verbose=0)
    return model


RANGES = {
    "0_1": (lambda view: tf.cast(view, tf.float32) / 255.0, r"Multiply .* by 255"),
    "minus_1_1": (lambda view: tf.cast(view, tf.float32) / 127.5 - 1.0, r"0 to 255; .*: -"),
    "standardized": (lambda view: (tf.cast(view, tf.float32) - 118.0) / 58.0, r"0 to 255; .*: -"),
    "16_bits": (lambda view: tf.cast(view, tf.float32) * 257.0, r"0 to 255; .*Received: \d{3,}"),
    "0_1_as_uint8": (lambda view: tf.cast(view > 127, tf.uint8), r"Multiply .* by 255"),
}


@pytest.mark.parametrize(
    ("key", "eager"),
    [
        ("view1", False),
        pytest.param("view2", False, marks=pytest.mark.slow),
        pytest.param("view1", True, marks=pytest.mark.slow),
        ("view2", True),
    ],
)
@pytest.mark.parametrize("name", RANGES)
def test_images_of_another_range_are_refused_at_the_first_batch(batch, name, key, eager):
    change, message = RANGES[name]
    batch[key] = change(batch[key])
    with pytest.raises(ValueError, match=rf"Expected {key} with values from .*{message}"):
        fit_one(batch, run_eagerly=eager)


def test_range_is_checked_once_in_training_and_always_in_evaluation(batch):
    """A black batch with a speck of 1 may come by chance in a long run."""
    model = fit_one(batch)
    dark = {**batch, "view1": tf.ones_like(batch["view1"])}
    model.fit(tf.data.Dataset.from_tensors(dark), verbose=0)
    with pytest.raises(ValueError, match="view1 with values from 0 to 255"):
        model.evaluate(tf.data.Dataset.from_tensors(dark), verbose=0)


def test_black_images_are_images(batch):
    fit_one({**batch, "view1": tf.zeros_like(batch["view1"])})


MASKS = {
    "minus_1": (
        lambda mask: tf.cast(mask, tf.int32) - 1,
        r"without negative values.*Received: -1\.",
    ),
    "half": (lambda mask: tf.cast(mask, tf.float32) / 2, r"of whole numbers, .* dtype float32"),
    "float": (
        lambda mask: tf.cast(mask, tf.float32),
        r"of .*; use tf.cast\(mask > 0.5, tf.uint8\)",
    ),
}


@pytest.mark.parametrize("key", ["mask1", "mask2"])
@pytest.mark.parametrize("name", MASKS)
def test_masks_that_hold_no_region_numbers_are_refused(batch, name, key):
    change, message = MASKS[name]
    batch[key] = change(batch[key])
    with pytest.raises(ValueError, match=rf"Expected {key} {message}"):
        fit_one(batch)


@pytest.mark.parametrize("name", ["hapicl", "harl", "detcon"])
def test_masks_of_other_whole_numbers_mean_the_same(batch, name):
    model = tiny_methods()[name]()
    expected = float(model.test_step(batch)["loss"])
    for dtype in (tf.bool, tf.int32, tf.int64, tf.uint16):
        model.reset_metrics()
        other = {**batch, **{key: tf.cast(batch[key], dtype) for key in ("mask1", "mask2")}}
        assert float(model.test_step(other)["loss"]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda view: tf.transpose(view, (0, 3, 1, 2)), r"\(4, 3, 32, 32\)\. Channels come last"),
        (lambda view: view[..., 0], r"shape \(batch, height, width, 3\).*\(4, 32, 32\)"),
        (lambda view: view[..., :1], r"\(4, 32, 32, 1\)"),
        (lambda view: tf.cast(view, tf.int32), r"dtype uint8 or float32.* int32"),
    ],
    ids=["channels_first", "no_channels", "one_channel", "int32"],
)
def test_images_of_another_form_are_refused(batch, change, message):
    batch["view2"] = change(batch["view2"])
    with pytest.raises(ValueError, match=message):
        fit_one(batch)


NEED_TWO = ["simclr", "simsiam", "hapicl_harl"]
OTHERS_THAT_DO = ["byol", "harl", "hapicl", "hapicl_byol"]


@pytest.mark.parametrize(
    "name", [*NEED_TWO, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS_THAT_DO)]
)
def test_batch_of_one_is_refused_where_the_loss_needs_two(batch, name):
    """SimCLR's only other candidate would be the positive itself: loss 0, accuracy 1."""
    model = tiny_methods()[name]()
    model.compile(keras.optimizers.AdamW(1e-3))
    one = {key: each[:1] for key, each in batch.items()}
    with pytest.raises(ValueError, match=r"Expected at least 2 images per batch for .*: 1\."):
        model.train_on_batch(one)
    model.train_on_batch({key: each[:2] for key, each in batch.items()})


def test_part_of_one_of_an_accumulated_batch_is_refused(batch):
    model = simclr(accumulation_steps=4)
    with pytest.raises(ValueError, match=r"accumulation_steps, because .* Received: 1\."):
        model.train_on_batch(batch)
    simclr(accumulation_steps=2).train_on_batch(batch)


def test_last_batch_of_one_is_refused_when_its_size_is_unknown_before(batch):
    """The other batches have been trained on by then; the model is as usable as before."""
    model = simclr()
    rows = tf.data.Dataset.from_tensor_slices(batch).repeat(2).take(5).batch(4)
    with pytest.raises(ValueError, match=r"at least 2 images per batch for SimCLR.* Received: 1\."):
        model.fit(rows, verbose=0)
    model.fit(rows.take(1), verbose=0)
    assert int(model.optimizer.iterations) == 2


def test_one_image_on_each_of_two_replicas_is_a_batch_of_two(batch, two_replicas):
    with two_replicas.scope():
        model = simclr()
    two = {key: each[:2] for key, each in batch.items()}
    logs = model.train_on_batch(two, return_dict=True)
    assert np.isfinite(logs["loss"])
    assert logs["loss"] > 0
