"""Defects 1 to 14: wrong mathematics."""

import math

import keras
import numpy as np
import PIL.Image
import pytest
import skimage.color
import tensorflow as tf

import harl_tf
from harl_tf import distribution
from harl_tf.data.geometry import Window, cut_mask
from harl_tf.layers import RandomColor, random_color
from harl_tf.losses import (
    cell_labels,
    cosine_distance,
    nt_xent,
    pixel_contrast,
    region_average,
    region_contrast,
)
from tests.defects import cellwise_harl, per_replica, two_views, unit_rows
from tests.networks import tiny_methods


@pytest.fixture(scope="module")
def batch(records):
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    return next(iter(views.from_epoch(0)))


def minimised_similarity(predictions, targets):
    return tf.reduce_sum(
        tf.math.l2_normalize(predictions, -1) * tf.math.l2_normalize(targets, -1), axis=-1
    )


def test_01_descent_turns_predictions_towards_their_targets():
    """Descent on the loss brings a prediction to its target: cosines rise, the loss falls to 0."""

    def holds(loss):
        predictions, targets = tf.Variable(unit_rows(8, 4)), unit_rows(8, 4, seed=1)
        before = tf.reduce_mean(minimised_similarity(predictions, targets))
        for _ in range(30):
            with tf.GradientTape() as tape:
                value = tf.reduce_sum(loss(predictions, targets))
            predictions.assign_sub(0.2 * tape.gradient(value, predictions))
        after = tf.reduce_mean(minimised_similarity(predictions, targets))
        return bool(after > before) and abs(float(value)) < 0.1

    assert not holds(minimised_similarity)
    assert holds(cosine_distance)


def sum_by_number_of_devices(losses):
    return tf.reduce_sum(losses) / distribution.replica_count()


def mean_divided_by_the_batch_again(losses):
    return tf.reduce_mean(losses) / (len(losses) * distribution.replica_count())


@pytest.mark.parametrize("defective", [sum_by_number_of_devices, mean_divided_by_the_batch_again])
def test_02_07_loss_does_not_grow_or_shrink_with_the_batch(defective):
    """Every image twice in the batch is the same loss, and so the same gradient."""

    def holds(reduce):
        losses = tf.constant([1.0, 2.0, 6.0])
        return float(reduce(losses)) == float(reduce(tf.concat([losses, losses], axis=0))) == 3.0

    assert not holds(defective)
    assert holds(distribution.share_of_global_mean)


@pytest.mark.parametrize(
    "defective", [sum_by_number_of_devices, mean_divided_by_the_batch_again, tf.reduce_mean]
)
def test_02_07_shares_of_the_replicas_add_up_to_the_mean(defective, two_replicas):
    """Optimizers add up what the replicas have, so that sum is to be the mean of all rows, 3.5.

    The bare mean of each replica's rows makes it 7.
    """

    def holds(reduce):
        losses = per_replica(two_replicas, np.array([1.0, 2.0, 5.0, 6.0], np.float32))
        shares = two_replicas.run(tf.function(reduce), args=(losses,))
        return float(two_replicas.reduce("SUM", shares, axis=None)) == 3.5

    assert not holds(defective)
    assert holds(distribution.share_of_global_mean)


def doubled_step(model, batch):
    view1, view2 = model.augment(batch)
    with tf.GradientTape() as tape:
        loss = model.loss_terms(view1, view2, training=True)["loss"]
        loss += loss
    variables = model.trainable_variables
    model.optimizer.apply(tape.gradient(loss, variables), variables)


@pytest.mark.parametrize("method", ["simclr", "byol"])
def test_03_step_of_rate_one_is_the_gradient_of_the_loss(method, batch):
    """Plain descent at rate 1 moves the weights by the gradient of the objective, once."""

    def holds(step):
        keras.utils.set_random_seed(0)
        model = tiny_methods()[method]()
        model.compile(keras.optimizers.SGD(1.0))
        variables, views = model.trainable_variables, model.augment(batch)
        with tf.GradientTape() as tape:
            loss = model.loss_terms(*views, training=True)["loss"]
        expected = tape.gradient(loss, variables)
        before = [variable.numpy() for variable in variables]
        step(model, batch)
        return all(
            np.allclose(old - variable.numpy(), gradient, rtol=1e-3, atol=1e-5)
            for old, variable, gradient in zip(before, variables, expected, strict=True)
        )

    assert not holds(doubled_step)
    assert holds(lambda model, batch: model.train_step(batch))


def self_similarity_left_in(embeddings1, embeddings2, temperature=0.2, large_number=1e-9):
    """The similarity with itself loses 1e-9 where it should lose 1e9."""
    one, two = (tf.math.l2_normalize(z, -1) for z in (embeddings1, embeddings2))
    mask = tf.eye(len(one)) * large_number
    losses = []
    for own, other in ((one, two), (two, one)):
        logits = tf.concat([own @ tf.transpose(other), own @ tf.transpose(own) - mask], axis=1)
        labels = tf.range(len(one))
        losses.append(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits / temperature))
    return tf.concat(losses, axis=0)


def regions_of_one(embeddings1, embeddings2, temperature):
    one, two = embeddings1[:, None], embeddings2[:, None]
    ids = tf.zeros((len(embeddings1), 1), tf.int32)
    return region_contrast(one, two, one, two, ids, ids, temperature)


@pytest.mark.parametrize("ours", [nt_xent, regions_of_one])
def test_04_image_is_no_negative_of_itself(ours):
    """Equal views of orthogonal images are told apart: with τ = 0.1 the 14 others cost 14 e^-10.

    An image that competes with itself cannot cost less than log 2.
    """

    def holds(loss):
        images = tf.eye(8)
        return float(tf.reduce_max(loss(images, images, temperature=0.1))) < 0.01

    assert not holds(self_similarity_left_in)
    assert holds(ours)


def interleaved_positives(embeddings1, embeddings2, temperature=0.2):
    """Rows 0 and 1, 2 and 3, … of the first views followed by the second ones as pairs."""
    rows = tf.math.l2_normalize(tf.concat([embeddings1, embeddings2], axis=0), -1)
    logits = rows @ tf.transpose(rows) / temperature - 1e9 * tf.eye(len(rows))
    partner = tf.range(len(rows)) + tf.tile([1, -1], [len(embeddings1)])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(partner, logits)


def test_05_views_of_an_image_attract_each_other():
    """Four images that both views show alike cost less than images alike two by two."""

    def holds(loss):
        views_alike = loss(tf.eye(4), tf.eye(4))
        neighbors = tf.gather(tf.eye(4), [0, 0, 1, 1]), tf.gather(tf.eye(4), [2, 2, 3, 3])
        return bool(tf.reduce_mean(views_alike) < tf.reduce_mean(loss(*neighbors)))

    assert not holds(interleaved_positives)
    assert holds(nt_xent)


def test_06_background_has_a_say():
    """Other pixels in the background of a view, and nothing else, change the mask loss."""
    model = cellwise_harl(whole_weight=0, foreground_weight=0.25)

    def ours(view1, view2):
        return float(model.loss_terms(view1, view2, training=False)["loss"])

    def background_forgotten(view1, view2):
        foreground = float(model.loss_terms(view1, view2, training=False)["loss_foreground"])
        return 0.25 * foreground + (1 - 0.25) * foreground

    def holds(loss):
        view1, view2 = two_views()
        in_background = tf.cast(view1.masks == 0, tf.float32)[..., None]
        changed = view1._replace(images=tf.abs(view1.images - 255.0 * in_background))
        return abs(loss(view1, view2) - loss(changed, view2)) > 1e-4

    assert not holds(background_forgotten)
    assert holds(ours)


def negatives_of_this_device(embeddings1, embeddings2):
    """SimCLR's formula on the rows at hand."""
    rows = tf.math.l2_normalize(tf.concat([embeddings1, embeddings2], axis=0), -1)
    count = embeddings1.shape[0]
    logits = rows @ tf.transpose(rows) / 0.2 - 1e9 * tf.eye(2 * count)
    partner = tf.math.floormod(tf.range(2 * count) + count, 2 * count)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(partner, logits)


def test_08_negatives_come_from_every_replica(two_replicas):
    """Four images on two replicas that all look the same leave one chance in seven.

    The two of one replica would leave one in three.
    """

    def holds(loss):
        rows = per_replica(two_replicas, np.ones((4, 8), np.float32))
        losses = two_replicas.run(tf.function(loss), args=(rows, rows))
        losses = np.concatenate(two_replicas.experimental_local_results(losses))
        return np.allclose(losses, math.log(7), atol=1e-5)

    assert not holds(negatives_of_this_device)
    assert holds(nt_xent)


def ratio_of_similarities(queries, keys):
    """Similarity of like regions by that of unlike ones; rows are background and foreground."""
    similarity = tf.einsum("brd,bsd->brs", queries, keys)
    like = 0.5 * (similarity[:, 0, 0] + similarity[:, 1, 1])
    unlike = similarity[:, 0, 1] + similarity[:, 1, 0]
    return like / unlike


def contrast_of_regions(queries, keys):
    ids = tf.tile([[0, 1]], (len(queries), 1))
    return pixel_contrast(queries, keys, ids, ids).values


def test_09_contrast_of_regions_keeps_its_sign_and_a_bound():
    """Whatever the vectors, 0 at best, and at worst log(1 + e^(2/τ)), 10 for τ = 0.2."""

    def holds(loss):
        losses = loss(unit_rows(500, 2, 3), unit_rows(500, 2, 3, seed=1))
        return bool(tf.reduce_all((losses >= 0) & (losses <= math.log(1 + math.exp(2 / 0.2)))))

    assert not holds(ratio_of_similarities)
    assert holds(contrast_of_regions)


def mean_over_all_cells(cells, weights):
    return tf.reduce_mean(cells[:, :, None] * weights[..., None], axis=1)


def area_plus_one(cells, weights):
    total = tf.reduce_sum(cells[:, :, None] * weights[..., None], axis=1)
    return total / (tf.reduce_sum(weights, axis=1)[..., None] + 1.0)


@pytest.mark.parametrize("defective", [mean_over_all_cells, area_plus_one])
def test_10_34_vector_of_a_region_does_not_tell_its_area(defective):
    """Where every cell of the foreground is the same, that is its mean, be it 1 cell or 16."""

    def holds(pool):
        cells = tf.ones((16, 16, 4)) * [1.0, 2.0, 3.0, 4.0]
        foregrounds = tf.linalg.band_part(tf.ones((16, 16)), -1, 0)[..., None]
        return np.allclose(pool(cells, foregrounds)[:, 0], cells[:, 0], atol=1e-5)

    assert not holds(defective)
    assert holds(lambda cells, weights: region_average(cells, weights).vectors)


def test_10_image_whose_view_lacks_a_region_does_not_count():
    """A second image without foreground in one view leaves the mean of the first as it is."""
    model = cellwise_harl(whole_weight=0.5)

    def ours(view1, view2):
        return float(model.loss_terms(view1, view2, training=False)["loss_foreground"])

    def empty_region_as_zeros(view1, view2):
        vectors = []
        for view in (view1, view2):
            cells = model.backbone(view.images)["P1"]
            share = tf.image.resize(tf.cast(view.masks, tf.float32)[..., None], cells.shape[1:3])
            vectors.append(tf.reduce_mean(cells * share, axis=(1, 2)))
        return float(tf.reduce_mean(cosine_distance(*vectors)))

    def holds(loss):
        view1, view2 = two_views(batch=2)
        without = tf.concat([view2.masks[:1], tf.zeros_like(view2.masks[1:])], axis=0)
        both = loss(view1, view2._replace(masks=without))
        alone = loss(
            *(
                view._replace(images=view.images[:1], masks=view.masks[:1])
                for view in (view1, view2)
            )
        )
        return both == pytest.approx(alone, abs=1e-5)

    assert not holds(empty_region_as_zeros)
    assert holds(ours)


def discs(share, count=64):
    """Discs somewhere within 224 pixels: uint8 (count, 224, 224)."""
    radius = math.sqrt(share * 224**2 / math.pi)
    centers = np.random.default_rng(0).uniform(radius, 224 - radius, (count, 2, 1, 1))
    rows, columns = np.mgrid[:224, :224] + 0.5
    return ((rows - centers[:, 0]) ** 2 + (columns - centers[:, 1]) ** 2 < radius**2).astype(
        "uint8"
    )


def touched_cells(masks, grid):
    """A cell is foreground if anything is left of the foreground in it."""
    bilinear = PIL.Image.Resampling.BILINEAR
    images = (PIL.Image.fromarray(255 * mask).resize(grid[::-1], bilinear) for mask in masks)
    return np.stack([np.asarray(image) > 0 for image in images])


def point_sampled_cells(masks, grid):
    """Bilinear between the few pixels at the centre of a cell."""
    pixels = tf.cast(masks, tf.float32)[..., None]
    return tf.image.resize(pixels, grid, antialias=False)[..., 0].numpy()


def area_shares(masks, grid):
    return cell_labels(tf.constant(masks), grid).share.numpy()


def area_labels(masks, grid):
    return cell_labels(tf.constant(masks), grid).regions.numpy()


@pytest.mark.parametrize("side", [7, 14])
def test_11_33_objects_are_as_large_on_the_map_as_in_the_image(side):
    """A disc of a tenth of the image is about a tenth of the cells.

    Cells that it touches are twice (14×14) to three times (7×7) as many.
    """

    def holds(cells):
        return abs(float(cells(discs(0.1), (side, side)).mean()) - 0.1) < 0.01

    assert not holds(touched_cells)
    assert holds(area_shares)
    assert holds(area_labels)


def test_11_small_objects_do_not_vanish():
    """Every disc of 10 pixels radius leaves its 314 pixels in the shares of the 7×7 cells."""

    def holds(cells):
        masks = discs(math.pi * 100 / 224**2)
        found = cells(masks, (7, 7)).reshape(len(masks), 49).mean(axis=1)
        return bool(np.allclose(found, masks.mean(axis=(1, 2)), atol=1e-4))

    assert not holds(point_sampled_cells)
    assert holds(area_shares)


def scaled_by(method, nonzero):
    def cut(mask, window, size):
        top, left, height, width, _ = window
        part = tf.cast(mask[top : top + height, left : left + width, None], tf.float32)
        part = tf.image.resize(part, (size, size), method=method)[..., 0].numpy()
        return (part != 0).astype(float) if nonzero else part

    return cut


def cut_by_harl_tf(mask, window, size):
    return cut_mask(mask, Window(*window), np.empty((size, size), mask.dtype))


@pytest.mark.parametrize(
    "defective", [scaled_by("bicubic", nonzero=False), scaled_by("bilinear", nonzero=True)]
)
def test_11_mask_of_a_view_stays_binary_and_of_its_size(defective):
    """A disc cut out and scaled up four times has the values 0 and 1 and a part as before.

    Bicubic interpolation overshoots, and whatever bilinear interpolation touches is not 0.
    """

    def holds(cut):
        mask, window = discs(0.002, 1)[0], [0, 0, 224, 224, 0]
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        window = [int(rows[0]) - 3, int(columns[0]) - 3, 24, 24, 0]
        part = mask[window[0] : window[0] + 24, window[1] : window[1] + 24].mean()
        found = cut(mask, window, 96)
        return set(np.unique(found)) == {0, 1} and abs(found.mean() - part) < 0.02

    assert not holds(defective)
    assert holds(cut_by_harl_tf)


def test_12_every_class_is_there_and_has_a_place_of_its_own(records):
    """Labels count from 0: of two classes both come out, as two different one-hot vectors."""

    def ours():
        data = harl_tf.data.labeled_images(records, image_size=8)
        return np.concatenate([labels for _, labels in data.as_numpy_iterator()])

    def counted_from_one():
        return ours() + 1

    def last_class_filtered():
        labels = ours() + 1
        return labels[labels < 2]

    def holds(labels):
        one_hot = tf.one_hot(labels(), depth=2).numpy()
        return one_hot.sum(axis=1).min() == 1 and one_hot.sum(axis=0).tolist() == [6, 6]

    assert not holds(counted_from_one)
    assert not holds(last_class_filtered)
    assert holds(ours)


def with_a_term_of_the_target(model, views):
    """Half of the loss is made by the network that does not learn."""
    terms = model.loss_terms(*views, training=False)
    of_target = tf.reduce_mean(model.target_backbone(views[0].images)["P3"])
    return {"loss_online": terms["loss"], "loss_target": of_target}


@pytest.mark.parametrize("method", ["harl", "hapicl_harl", "hapicl_moco", "densecl", "pixpro"])
def test_13_every_term_of_the_loss_teaches_the_online_network(method, batch):
    """No part of the loss is a constant for the weights that are trained."""
    model = tiny_methods()[method]()
    views = model.augment(batch)

    def ours(model, views):
        terms = model.loss_terms(*views, training=False)
        return {name: term for name, term in terms.items() if name.startswith("loss")}

    def holds(terms_of):
        with tf.GradientTape(persistent=True) as tape:
            terms = terms_of(model, views)
        variables = model.backbone.trainable_variables
        gradients = [tape.gradient(term, variables) for term in terms.values()]
        return all(
            any(each is not None and np.any(each) for each in of_term) for of_term in gradients
        )

    assert not holds(with_a_term_of_the_target)
    assert holds(ours)


def hidden_factors(brightness, contrast, saturation, hue):
    """What is asked for is multiplied again, hue by less than the others."""
    return RandomColor(0.8 * brightness, 0.8 * contrast, 0.8 * saturation, 0.2 * hue)


def largest_change(color, name):
    """The strongest change of that kind that the layer makes, in the units of its argument."""
    draws = np.full((1, random_color.DRAWS), 0.5, np.float32)
    draws[:, random_color.Draw[name.upper()]] = 1 - 2**-24
    draws[:, random_color.Draw.JITTER] = 0.0
    draws[:, [random_color.Draw.GRAYSCALE, random_color.Draw.BLUR]] = 1 - 2**-24
    image = np.tile([[[[100.0, 80.0, 90.0]], [[110.0, 90.0, 100.0]]]], (1, 1, 2, 1))
    before, after = (
        skimage.color.rgb2yiq(np.asarray(each, np.float64) / 255)
        for each in (image, color(image, draws))
    )
    chroma, new = (each[0, 0, 0, 1] + 1j * each[0, 0, 0, 2] for each in (before, after))
    return {
        "brightness": after[..., 0].mean() / before[..., 0].mean() - 1,
        "contrast": np.ptp(after[..., 0]) / np.ptp(before[..., 0]) - 1,
        "saturation": abs(new) / abs(chroma) - 1,
        "hue": np.angle(new / chroma) / (2 * np.pi),
    }[name]


BYOL_STRENGTHS = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.2, "hue": 0.1}


@pytest.mark.parametrize("name", BYOL_STRENGTHS)
def test_14_jitter_is_as_strong_as_it_says(name):
    """The largest draw changes colours by the whole strength, and BYOL's are those of its paper."""

    def holds(color):
        return abs(largest_change(color, name) - BYOL_STRENGTHS[name]) < 1e-3

    assert not holds(hidden_factors(**BYOL_STRENGTHS))
    assert holds(RandomColor(**BYOL_STRENGTHS))
    assert holds(harl_tf.layers.byol_colors()[1])


def test_14_views_can_have_different_colors(batch):
    """With solarisation for the second view alone, a batch of equal draws has different views."""
    keys = {"view2": "view1", "mask2": "mask1", "draws2": "draws1"}
    alike = batch | {key: batch[other] for key, other in keys.items()}
    plain, inverting = RandomColor(), RandomColor(solarize_probability=1.0)

    def one_pipeline_for_both():
        return (plain, plain)

    def one_for_each():
        return (plain, inverting)

    def holds(augmentations):
        model = harl_tf.SimCLR(
            tiny_methods()["simclr"]().backbone, hidden_units=4, augmentations=augmentations()
        )
        view1, view2 = model.augment(alike)
        return float(tf.reduce_max(tf.abs(view1.images - view2.images))) > 1

    assert not holds(one_pipeline_for_both)
    assert holds(one_for_each)
