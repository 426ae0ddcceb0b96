"""Defects 31 to 47: the PyTorch code of HARL and HAPiCLR. 31 to 34 have tests in the other two."""

import io
import math

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import harl_tf
from harl_tf import losses
from harl_tf.callbacks import Checkpoint, ResumeError
from harl_tf.data import PairedViews
from harl_tf.data import records as schema
from harl_tf.distribution import gather_rows
from harl_tf.pretraining.feature_maps import channels, select_map
from harl_tf.schedules import Cosine
from mask_generation import foreground_mask
from mask_generation.conversion.example import encode_png
from tests.defects import CELL, cellwise_harl, per_replica, two_views, unit_rows
from tests.networks import tiny_hapicl, tiny_methods, tiny_pyramid

WITH_PIXEL_LOSS = ("hapicl", "hapicl_moco", "hapicl_byol", "hapicl_harl")


@pytest.fixture(scope="module")
def batch(records):
    return next(iter(PairedViews(records, batch_size=4, image_size=32).from_epoch(0)))


def test_34_terms_are_reported_under_their_own_names():
    """Other pixels in the background change the background's loss and not the foreground's."""
    model = cellwise_harl(whole_weight=0)

    def ours(view1, view2):
        return model.loss_terms(view1, view2, training=False)

    def swapped(view1, view2):
        terms = ours(view1, view2)
        swap = {"loss_foreground": "loss_background", "loss_background": "loss_foreground"}
        return {name: terms[swap.get(name, name)] for name in terms}

    def holds(terms_of):
        view1, view2 = two_views()
        lower = np.arange(4 * CELL)[:, None, None] >= 2 * CELL
        changed = view1._replace(images=tf.abs(view1.images - 255.0 * lower))
        before, after = terms_of(view1, view2), terms_of(changed, view2)
        moved = {
            name: abs(float(before[name] - after[name])) > 1e-4
            for name in ("loss_foreground", "loss_background")
        }
        return moved == {"loss_foreground": False, "loss_background": True}

    assert not holds(swapped)
    assert holds(ours)


def test_34_schedule_starts_where_it_is_told():
    """A start of 0.3 is 0.3 at step 0."""

    def start_ignored(start, end, steps):
        return lambda step: end - (end - 0.6) * (math.cos(math.pi * step / steps) + 1) / 2

    def holds(schedule):
        return math.isclose(float(schedule(0.3, 1.0, 100)(0)), 0.3)

    assert not holds(start_ignored)
    assert holds(Cosine)


def test_35_every_batch_is_an_update_from_first_to_last(batch):
    """Nine batches, nine updates: the batch per update is not changed during the run."""

    def accumulating_more_and_more():
        """Every second batch from 30 % of the run on, every third from 70 % on."""
        updates = held = 0
        for number in range(9):
            held += 1
            if held >= 1 + (number >= 3) + (number >= 6):
                updates, held = updates + 1, 0
        return updates

    def ours():
        model = tiny_methods()["simclr"]()
        model.compile(keras.optimizers.SGD(0.01))
        for _ in range(9):
            model.train_step(batch)
        return int(model.optimizer.iterations.numpy())

    def holds(updates):
        return updates() == 9

    assert not holds(accumulating_more_and_more)
    assert holds(ours)


def test_36_region_without_weight_is_not_computed():
    """The foreground hybrid projects whole and foreground of both views: four calls, not six."""
    projected = []

    def counting(head):
        def call(rows, training):
            projected.append(len(rows))
            return head(rows, training=training)

        return call

    def every_region_always(alpha):
        view1, view2 = two_views()
        model = cellwise_harl()
        branch = model.branches["regions"]
        project = counting(branch.projector)
        terms = []
        for weight in (0.5, 0.5 * alpha, 0.5 * (1 - alpha)):
            rows = [
                tf.reduce_mean(model(view.images)["P1"], axis=(1, 2)) for view in (view1, view2)
            ]
            first, second = (project(each, training=False) for each in rows)
            terms.append(weight * losses.cosine_distance(first, second))
        return tf.add_n(terms)

    def ours(alpha):
        model = cellwise_harl(foreground_weight=alpha)
        branch = model.branches["regions"]
        branch.projector = counting(branch.projector)
        return model.loss_terms(*two_views(), training=False)["loss"]

    def holds(loss):
        calls = {}
        for alpha in (1, 0.5):
            projected.clear()
            loss(alpha)
            calls[alpha] = len(projected)
        return calls == {1: 4, 0.5: 6}

    assert not holds(every_region_always)
    assert holds(ours)


def parts_by_substring(reduction):
    """Which parts of the objective a name switches on, where a typing error switches them off."""
    return {"pixel_head": "pixel_level" in reduction, "instance_loss": "contrastive" in reduction}


@pytest.mark.parametrize(
    "ours",
    [
        lambda name: tiny_hapicl(reduction=name),
        lambda name: tiny_hapicl(level=name),
        lambda name: harl_tf.methods.PixelContrast(reduction=name),
        lambda name: foreground_mask(np.zeros((32, 32, 3), np.uint8), method=name),
    ],
    ids=["reduction", "level", "branch", "mask_method"],
)
def test_38_misspelt_name_is_refused(ours):
    """A name that nothing has is an error that quotes it, not a loss without its parts."""

    def holds(choose):
        try:
            choose("pixel_lavel_contrastive")
        except ValueError as error:
            return "pixel_lavel_contrastive" in str(error)
        return False

    assert not holds(parts_by_substring)
    assert holds(ours)


@pytest.mark.parametrize("method", WITH_PIXEL_LOSS)
def test_39_pixel_loss_is_part_of_what_is_minimised(method, batch):
    """The total is the instance loss plus the pixel loss, and its gradient reaches the head."""
    model = tiny_methods()[method]()
    views = model.augment(batch)
    head = model.branches["pixel"].pixel_head.trainable_variables

    def computed_but_not_returned(terms):
        return terms["loss_instance"]

    def ours(terms):
        return terms["loss"]

    def holds(total):
        with tf.GradientTape() as tape:
            terms = model.loss_terms(*views, training=False)
            loss = total(terms)
        expected = float(terms["loss_instance"] + terms["loss_pixel"])
        gradients = tape.gradient(loss, head)
        reached = all(each is not None and np.any(each) for each in gradients)
        return reached and math.isclose(float(loss), expected, rel_tol=1e-5)

    assert float(model.loss_terms(*views, training=False)["loss_pixel"]) > 0.1
    assert not holds(computed_but_not_returned)
    assert holds(ours)


@pytest.mark.parametrize("method", WITH_PIXEL_LOSS)
def test_40_masks_change_the_loss(method, batch):
    """The same views with other masks have another loss."""
    model = tiny_methods()[method]()
    nt_xent_only = tiny_methods()["simclr"]()

    def holds(model):
        view1, view2 = model.augment(batch)
        turned = [view._replace(masks=view.masks[:, ::-1]) for view in (view1, view2)]
        with_masks = model.loss_terms(view1, view2, training=False)["loss"]
        with_others = model.loss_terms(*turned, training=False)["loss"]
        return abs(float(with_masks - with_others)) > 1e-4

    assert not holds(nt_xent_only)
    assert holds(model)


def step_without_the_pixel_head(model, batch):
    views = model.augment(batch)
    head = {id(variable) for variable in model.branches["pixel"].pixel_head.variables}
    variables = [v for v in model.trainable_variables if id(v) not in head]
    with tf.GradientTape() as tape:
        loss = model.loss_terms(*views, training=True)["loss"]
    model.optimizer.apply(tape.gradient(loss, variables), variables)


@pytest.mark.parametrize("method", WITH_PIXEL_LOSS)
def test_41_optimizer_trains_the_pixel_head(method, batch):
    """A step moves every weight of the pixel head."""

    def holds(step):
        model = tiny_methods()[method]()
        model.compile(keras.optimizers.SGD(0.1))
        head = model.branches["pixel"].pixel_head.trainable_variables
        before = [variable.numpy() for variable in head]
        step(model, batch)
        return not any(np.array_equal(a, b.numpy()) for a, b in zip(before, head, strict=True))

    assert not holds(step_without_the_pixel_head)
    assert holds(lambda model, batch: model.train_step(batch))


@pytest.mark.parametrize("method", ["hapicl_byol", "hapicl_momentum_keys"])
def test_41_moving_average_of_the_pixel_head_starts_as_the_head(method):
    """The target of the pixel head exists and has its weights before the first step."""
    branch = tiny_methods()[method]().branches["pixel"]

    def holds(pairs):
        return len(pairs) == 1 and all(
            np.array_equal(a, b)
            for online, target in pairs
            for a, b in zip(online.get_weights(), target.get_weights(), strict=True)
        )

    assert not holds([(branch.pixel_head, keras.models.clone_model(branch.pixel_head))])
    assert holds(branch.momentum_pairs())


def test_41_head_takes_all_channels_of_fused_maps():
    """8 and 16 channels side by side go into a head for 24, not into one for the last map."""
    backbone = tiny_pyramid()
    maps = backbone(tf.zeros((1, 32, 32, 3)))
    fused = select_map(maps, ("P2", "P3"))

    def for_the_last_map():
        return harl_tf.methods.PixelContrast(level="P3")

    def ours():
        return harl_tf.methods.PixelContrast(level=("P2", "P3"))

    def holds(make):
        branch = make()
        branch.connect(backbone.output)
        return branch.pixel_head.input_shape == (None, fused.shape[-1]) == (None, 24)

    assert channels(maps, ("P2", "P3")) == 24
    assert not holds(for_the_last_map)
    assert holds(ours)


def gather_with_gradients_by_row(rows):
    """The backward pass picks among the replicas' gradients by the number of the row."""

    @tf.custom_gradient
    def gather(rows):
        count, replicas = rows.shape[0], 2

        def backward(upstream):
            together = tf.distribute.get_replica_context().all_reduce("SUM", upstream)
            by_replica = tf.reshape(together, (replicas, count, -1))
            row = tf.range(count)
            return tf.gather_nd(by_replica, tf.stack([row % replicas, row], axis=1))

        return gather_rows(rows), backward

    return gather(rows)


def gather_with_local_gradients(rows):
    """Only what this replica's own loss says of its own rows flows back."""
    context = tf.distribute.get_replica_context()
    everything = tf.stop_gradient(gather_rows(rows))
    count, number = rows.shape[0], context.replica_id_in_sync_group
    own = tf.one_hot(number * count + tf.range(count), everything.shape[0], axis=0)
    return everything + tf.matmul(own, rows - tf.stop_gradient(rows))


@pytest.mark.parametrize("defective", [gather_with_gradients_by_row, gather_with_local_gradients])
def test_42_gradients_through_gathered_rows_are_those_of_one_device(defective, two_replicas):
    """A contrast of all rows on two replicas, each with half of the loss, as on one device.

    The sum over replicas of log Σ exp(row · other) has a gradient in both factors.
    """
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)

    def loss(own, everything):
        return tf.reduce_sum(tf.reduce_logsumexp(own @ tf.transpose(everything), axis=-1))

    whole = tf.constant(rows)
    with tf.GradientTape() as tape:
        tape.watch(whole)
        value = loss(whole, whole)
    expected = tape.gradient(value, whole)

    def holds(gather):
        @tf.function
        def gradient(own):
            with tf.GradientTape() as tape:
                tape.watch(own)
                value = loss(own, gather(own))
            return tape.gradient(value, own)

        of_replicas = two_replicas.run(gradient, args=(per_replica(two_replicas, rows),))
        found = np.concatenate(two_replicas.experimental_local_results(of_replicas))
        return np.allclose(found, expected, atol=1e-5)

    assert not holds(defective)
    assert holds(gather_rows)


def ratio_of_sums(queries, keys, temperature):
    """Exponentials, their sums, a quotient and its logarithm, in the dtype at hand."""
    unit = [each / tf.norm(each, axis=-1, keepdims=True) for each in (queries, keys)]
    similar = tf.exp(unit[0] @ tf.transpose(unit[1]) / temperature)
    return -tf.math.log(tf.linalg.diag_part(similar) / tf.reduce_sum(similar, axis=-1))


def of_halves(loss):
    """A loss between cells of two regions, the first rows of an image and the others."""

    def of_rows(queries, keys, temperature):
        ids = tf.cast(tf.range(len(queries)) * 2 >= len(queries), tf.int32)[None]
        result = loss(queries[None], keys[None], ids, ids, temperature=temperature)
        return getattr(result, "loss", result)

    return of_rows


STABLE = {
    "nt_xent": losses.nt_xent,
    "pixel_contrast": of_halves(losses.pixel_contrast),
    "pixel_contrast_per_image": of_halves(losses.pixel_contrast_per_image),
    "pixel_contrast_per_batch": of_halves(losses.pixel_contrast_per_batch),
    "momentum_contrast": lambda q, k, t: losses.momentum_contrast(q, k, -k, t),
    "dense_contrast": lambda q, k, t: losses.dense_contrast(
        q[None], k[None], tf.range(len(q))[None], -k, t
    ),
    "region_contrast": lambda q, k, t: losses.region_contrast(
        *(each[:, None] for each in (q, k, q, k)), *[tf.zeros((len(q), 1), tf.int32)] * 2, t
    ),
}


@pytest.mark.parametrize("ours", STABLE.values(), ids=STABLE)
@pytest.mark.parametrize(("dtype", "temperature"), [("float32", 0.01), ("float16", 0.05)])
def test_43_small_temperatures_and_half_precision_stay_finite(ours, dtype, temperature):
    """Sums of exp(1/τ) are beyond the range, e^100 of float32, e^20 of float16; losses are not."""

    def holds(loss):
        queries = tf.cast(unit_rows(8, 4), dtype)
        keys = tf.cast(unit_rows(8, 4) + 0.1 * unit_rows(8, 4, seed=1), dtype)
        with tf.GradientTape() as tape:
            tape.watch(queries)
            values = loss(queries, keys, temperature)
        gradient = tf.cast(tape.gradient(values, queries), tf.float32)
        return bool(np.isfinite(values).all() and np.isfinite(gradient).all())

    assert not holds(ratio_of_sums)
    assert holds(ours)


def with_constants(queries, keys, query_regions, key_regions):
    """One ratio per image, (P + 1) / (P + Q + 2)."""
    similar = tf.exp(tf.matmul(queries, keys, transpose_b=True) / 0.2)
    same = tf.cast(query_regions[:, :, None] == key_regions[:, None, :], tf.float32)
    positive = tf.reduce_sum(similar * same, axis=(1, 2))
    return tf.reduce_mean(-tf.math.log((positive + 1) / (tf.reduce_sum(similar, (1, 2)) + 2)))


def counted_mean(queries, keys, query_regions, key_regions):
    result = losses.pixel_contrast(queries, keys, query_regions, key_regions)
    return harl_tf.distribution.share_of_global_mean(*result)


def test_43_views_without_a_common_region_have_no_say():
    """Foreground alone in one view, background alone in the other: neither reward nor penalty.

    The constants would make that image cost about log Q, many times what others do.
    """

    def holds(loss):
        queries, keys = unit_rows(2, 6, 4), unit_rows(2, 6, 4, seed=1)
        mixed, foreground = tf.constant([0, 0, 0, 1, 1, 1]), tf.ones(6, tf.int32)
        ids = tf.stack([mixed, foreground]), tf.stack([mixed, 0 * foreground])
        alone = loss(queries[:1], keys[:1], *(each[:1] for each in ids))
        return math.isclose(float(loss(queries, keys, *ids)), float(alone), abs_tol=1e-5)

    assert not holds(with_constants)
    assert holds(counted_mean)


def forgotten_brackets(positive, negative):
    """-log(P / P + Q): the quotient is 1, and the positives are out of the loss."""
    p, q = math.exp(positive / 0.2), math.exp(negative / 0.2)
    return -math.log(p / p + q)


def vectors_with(*cosines):
    return tf.constant([[each, math.sqrt(1 - each**2)] for each in cosines], tf.float32)


def by_queue(positive, negative):
    query = vectors_with(1.0)
    return float(losses.momentum_contrast(query, vectors_with(positive), vectors_with(negative))[0])


def by_cells(positive, negative):
    """A background cell against a background and a foreground cell."""
    result = losses.pixel_contrast(
        vectors_with(1.0)[None],
        vectors_with(positive, negative)[None],
        tf.constant([[0]]),
        tf.constant([[0, 1]]),
    )
    return float(result.values[0])


@pytest.mark.parametrize("ours", [by_queue, by_cells])
def test_44_loss_is_positive_and_falls_as_positives_grow_alike(ours):
    """P / (P + Q) lies between 0 and 1 and rises with P."""

    def holds(loss):
        falling = [loss(positive, negative=0.5) for positive in (-0.9, 0.0, 0.9)]
        return falling[0] > falling[1] > falling[2] > 0

    assert not holds(forgotten_brackets)
    assert holds(ours)


def test_46_weights_that_do_not_fit_are_refused(records, tmp_path):
    """A checkpoint of a head of 32 units is an error for a head of 24."""
    views = PairedViews(records, batch_size=4, image_size=32)
    saved = tiny_hapicl()
    saved.optimizer.build(saved.trainable_variables)
    checkpoint = Checkpoint(tmp_path, views)
    checkpoint.set_model(saved)
    checkpoint.save(1)

    def what_fits(model):
        for source, variable in zip(saved.weights, model.weights, strict=False):
            if source.shape == variable.shape:
                variable.assign(source)

    def holds(load):
        try:
            load(tiny_hapicl(hidden_units=24))
        except ResumeError as error:
            return "hidden_units" in str(error)
        return False

    assert not holds(what_fits)
    assert holds(Checkpoint(tmp_path, views).resume)


def test_47_masks_come_back_as_they_were_stored():
    """Five regions in a record, and the thin lines between them, pixel by pixel."""
    mask = np.zeros((40, 40), np.uint8)
    mask[::5], mask[:, ::7] = 1, 2
    mask[10:20, 10:20], mask[25:33, 5:30] = 3, 4

    def as_jpeg(mask):
        file = io.BytesIO()
        PIL.Image.fromarray(mask).save(file, "JPEG")
        return np.asarray(PIL.Image.open(file))

    def ours(mask):
        record = schema.Record(b"", encode_png(mask), "name")
        fields = schema.parse(tf.constant(schema.encode(record)))
        return schema.decode_mask(fields[schema.MASK]).numpy()

    def holds(store_and_load):
        return np.array_equal(store_and_load(mask), mask)

    assert not holds(as_jpeg)
    assert holds(ours)
