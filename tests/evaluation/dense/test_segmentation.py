"""The linear head on cells, against scikit-learn on the same cells."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from harl_tf.evaluation import confusion, segmentation_score
from harl_tf.evaluation.dense import segmentation

CLASSES = 3
CHANNELS = 12


@pytest.fixture(scope="module")
def backbone():
    image = keras.Input((None, None, 3))
    drawn = keras.initializers.HeNormal(seed=0)  # whatever was drawn before this module
    convolution = keras.layers.Conv2D(
        CHANNELS, 3, strides=2, padding="same", activation="relu", kernel_initializer=drawn
    )
    fine = convolution(image)
    return keras.Model(image, {"P1": fine, "P2": keras.layers.AveragePooling2D(2)(fine)})


def photographs(count, seed, side=16):
    """Noise whose brightness tells the class, in quarters; some pixels void."""
    random = np.random.default_rng(seed)
    quarters = random.integers(0, CLASSES, (count, 2, 2))
    labels = quarters.repeat(side // 2, 1).repeat(side // 2, 2).astype("uint8")
    images = 80 * labels[..., None] + random.uniform(0, 60, (count, side, side, 3))
    labels[:, :3, :5] = 255
    return images.astype("uint8"), labels


@pytest.mark.parametrize("level", ["P1", None])
def test_head_is_ridge_regression_of_the_shares_of_classes(backbone, level):
    """Cells weighted by the share of their pixels that count; scores interpolated."""
    (images, labels), (tested, truth) = photographs(6, 0), photographs(4, 1)
    features = np.asarray(backbone(images.astype("float32"))[level or "P2"], np.float64)
    one_hot = np.eye(CLASSES + 1)[np.where(labels == 255, CLASSES, labels)][..., :CLASSES]
    size = 2 if level else 4
    shares = one_hot.reshape(6, 16 // size, size, 16 // size, size, CLASSES).mean(axis=(2, 4))
    cells, shares = features.reshape(-1, CHANNELS), shares.reshape(-1, CLASSES)
    weights = shares.sum(axis=1)
    kept = weights > 0
    cells, shares, weights = cells[kept], shares[kept], weights[kept]
    scaler = StandardScaler().fit(cells, sample_weight=weights)
    ridge = Ridge(alpha=0.1 * weights.sum()).fit(
        scaler.transform(cells), shares / weights[:, None], sample_weight=weights
    )
    maps = np.asarray(backbone(tested.astype("float32"))[level or "P2"], np.float64)
    scores = ridge.predict(scaler.transform(maps.reshape(-1, CHANNELS))).reshape(
        *maps.shape[:3], CLASSES
    )
    found = np.argmax(tf.image.resize(scores, (16, 16)), axis=-1)
    expected = [confusion(*pair, CLASSES) for pair in zip(truth, found, strict=True)]
    result = segmentation_score(
        backbone, [(images, labels)], [(tested, truth)], CLASSES, level, penalties=[0.1]
    )
    np.testing.assert_array_equal(result.confusions, expected)
    assert result.mean > 0.6


@pytest.mark.parametrize("seed", range(4))
def test_penalty_is_the_best_one_on_every_fifth_image(backbone, seed):
    """The one whose fit to the others has the least squared error there, by scikit-learn."""
    random = np.random.default_rng(seed)
    images = random.uniform(0, 255, (10, 8, 8, 3)).astype("uint8")
    labels = random.integers(0, 2, (10, 8, 8))
    cells = np.asarray(backbone(images.astype("float32"))["P2"], np.float64).reshape(
        10, 4, CHANNELS
    )
    share = labels.reshape(10, 2, 4, 2, 4).mean(axis=(2, 4)).reshape(10, 4)
    held_out = np.arange(10) % 5 == 4
    fitted, tested = (cells[part].reshape(-1, CHANNELS) for part in (~held_out, held_out))
    scaler = StandardScaler().fit(fitted)
    errors = {}
    for penalty in (1e-3, 0.1, 10.0):
        ridge = Ridge(alpha=penalty * len(fitted))
        ridge.fit(scaler.transform(fitted), share[~held_out].ravel())
        found = ridge.predict(scaler.transform(tested))
        errors[penalty] = np.sum((found - share[held_out].ravel()) ** 2)
    best = min(errors, key=lambda penalty: errors[penalty])
    both = [(images, labels)]
    chosen, expected = (
        segmentation_score(backbone, both, both, 2, penalties=penalties)
        for penalties in (list(errors), [best])
    )
    np.testing.assert_array_equal(chosen.confusions, expected.confusions)


def test_images_of_several_sizes_and_batches(backbone):
    """One by one or together, the same."""
    small, large = photographs(5, 0), photographs(5, 1, side=24)
    pairs = [pair for part in (small, large) for pair in zip(*part, strict=True)]
    one_by_one = [(image[None], label[None]) for image, label in pairs]
    together = segmentation_score(backbone, [small, large], [large, small], CLASSES)
    alone = segmentation_score(backbone, one_by_one, [large, small], CLASSES)
    np.testing.assert_array_equal(together.confusions, alone.confusions)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda images, labels: (images, labels + 3), "Expected true labels from 0 to 2"),
        (lambda images, labels: (images, labels[:, :4]), "as large as the images"),
        (lambda images, labels: (images / 255, labels), "values from 0 to 255"),
        (lambda images, labels: (images, np.full_like(labels, 255)), "or only void"),
    ],
)
def test_bad_input_is_named(backbone, change, words):
    good = photographs(3, 0)
    with pytest.raises(ValueError, match=words):
        segmentation_score(backbone, [change(*good)], [good], CLASSES)


def test_missing_map_is_named(backbone):
    with pytest.raises(ValueError, match=r"Expected level in .'P1', 'P2'.\. Received"):
        segmentation_score(backbone, [], [], CLASSES, level="P5")


@pytest.mark.parametrize("grid", [(2, 3), (3, 5), (7, 4)])
def test_shares_of_classes_are_those_of_areas(grid):
    """As TensorFlow's own method, which needs an array of every class for it."""
    labels = np.random.default_rng(0).integers(0, 5, (14, 15))
    labels[:3] = 255
    one_hot = (labels[..., None] == np.arange(5)).astype(np.float32)
    expected = tf.image.resize(one_hot, grid, method="area")
    np.testing.assert_allclose(segmentation._shares(labels, grid, 5, 255), expected, atol=1e-6)


def test_largest_score_is_that_of_all_classes_at_once():
    scores = np.random.default_rng(0).normal(size=(3, 4, 6)).astype(np.float32)
    expected = tf.image.resize(scores, (17, 13)).numpy().argmax(axis=-1)
    np.testing.assert_array_equal(segmentation._largest(scores, (17, 13)), expected)
