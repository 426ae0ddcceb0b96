"""The linear probe against scikit-learn, and what small or odd sets do to it."""

import tracemalloc

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

import harl_tf.evaluation.classes.linear as module
from harl_tf.evaluation import linear_accuracy, linear_score
from harl_tf.evaluation.classes.linear import (
    PENALTIES,
    choose_penalty,
    hold_out,
    linear_classifier,
)


def clusters(images, dimensions=6, classes=3, noise=1.5, seed=0):
    """Training and test vectors around a center for each class, on very different scales."""
    random = np.random.default_rng(seed)
    centers, scale = random.normal(size=(classes, dimensions)), 10.0 ** random.integers(-2, 3, 6)
    scale = np.resize(scale, dimensions)
    data = []
    for count in images:
        labels = np.arange(count) % classes
        vectors = centers[labels] + noise * random.normal(size=(count, dimensions)) + 5
        data += [(vectors * scale).astype(np.float32), labels]
    return data


def of_sklearn(train, labels, test, penalty):
    """Scores (test, classes) of ridge regression with a bias on standardized features."""
    scaler = StandardScaler().fit(train.astype(np.float64))
    ridge = Ridge(alpha=penalty * len(train)).fit(
        scaler.transform(train.astype(np.float64)), np.eye(labels.max() + 1)[labels]
    )
    return ridge.predict(scaler.transform(test.astype(np.float64)))


@pytest.mark.parametrize("penalty", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("images", [90, 20], ids=["more_images", "more_features"])
def test_linear_accuracy_with_one_penalty_is_that_of_scikit_learn(images, penalty):
    """40 features: the 40×40 Gram matrix of 90 images, the 20×20 one of 20."""
    train, labels, test, truth = clusters([images, 200], dimensions=40, noise=3)
    expected = float(np.mean(of_sklearn(train, labels, test, penalty).argmax(axis=1) == truth))
    assert 0.4 < expected < 1
    assert linear_accuracy(train, labels, test, truth, [penalty]) == expected


@pytest.mark.parametrize("seed", range(5))
def test_penalty_is_the_best_one_on_the_held_out_part(seed):
    """Most right; of those the least squared error, by scikit-learn's scores."""
    train, labels, _, _ = clusters([40, 3], dimensions=30, noise=3, seed=seed)
    held_out = hold_out(labels)
    judged = {}
    for penalty in PENALTIES:
        scores = of_sklearn(train[~held_out], labels[~held_out], train[held_out], penalty)
        right = np.mean(scores.argmax(axis=1) == labels[held_out])
        judged[penalty] = (right, -np.sum((scores - np.eye(3)[labels[held_out]]) ** 2))
    assert choose_penalty(train, labels, PENALTIES) == max(judged, key=lambda each: judged[each])


def test_noise_is_met_with_a_large_penalty_and_clear_classes_with_a_small_one():
    chosen = {
        noise: choose_penalty(*clusters([60, 3], dimensions=40, noise=noise)[:2], PENALTIES)
        for noise in (0.01, 30.0)
    }
    assert chosen[0.01] < chosen[30.0]


def test_test_images_do_not_matter_for_one_another():
    """The training vectors alone choose and fit: one test image at a time gives the same."""
    train, labels, test, truth = clusters([30, 12])
    alone = [linear_accuracy(train, labels, test[[i]], truth[[i]]) for i in range(12)]
    assert linear_accuracy(train, labels, test, truth) == pytest.approx(np.mean(alone))


def test_scales_and_offsets_of_features_do_not_matter():
    """Only standardized features are seen; to the bit they differ."""
    train, labels, test, truth = clusters([60, 200])
    scale, offset = np.array([1e-3, 1, 1e3, 7, 1e2, 3]), np.arange(6) * 10.0
    moved = linear_accuracy(train * scale + offset, labels, test * scale + offset, truth)
    assert moved == pytest.approx(linear_accuracy(train, labels, test, truth), abs=0.011)


def test_bias_separates_classes_on_one_side_of_the_origin():
    """Both classes have positive values only; without a bias all would be of the larger class."""
    train, test = np.array([[1.0], [2.0], [8.0], [9.0]]), np.array([[1.5], [8.5]])
    assert linear_accuracy(train, np.array([0, 0, 1, 1]), test, np.array([0, 1])) == 1.0


def test_constant_features_change_nothing():
    """A constant, and one whose last bit is rounding that happens to tell the classes apart."""
    train, labels, test, truth = clusters([60, 50])
    plain = linear_accuracy(train, labels, test, truth)
    for rounding in (0.0, 1e-7):
        wide = np.column_stack([train, 0.3 + rounding * labels])
        other = np.column_stack([test, 0.3 - rounding * truth])
        assert linear_accuracy(wide, labels, other, truth) == plain


def test_only_constant_features_leave_the_most_frequent_class():
    """The bias alone: class 1 of the training images, one of four test images."""
    train, test = np.full((5, 3), 0.1), np.full((4, 3), 0.1)
    labels, truth = np.array([0, 1, 1, 1, 0]), np.array([0, 1, 0, 2])
    assert linear_accuracy(train, labels, test, truth) == 0.25


def test_class_absent_from_training_is_wrong():
    """Labels 0 and 7 are there, 3 and 9 are not."""
    train, labels = np.array([[-1.0], [-1.1], [1.0], [1.1]]), np.array([0, 0, 7, 7])
    test, truth = np.array([[-1.0], [1.0], [-1.0], [1.0]]), np.array([0, 7, 3, 9])
    assert linear_accuracy(train, labels, test, truth) == 0.5


def test_one_class_is_always_named():
    vectors = np.random.default_rng(0).normal(size=(4, 3))
    assert linear_accuracy(vectors, np.full(4, 2), vectors, np.array([2, 2, 0, 2])) == 0.75


@pytest.mark.parametrize("each", [1, 2, 3, 4])
def test_few_images_of_a_class_are_enough(each):
    """Classes ten deviations apart in every one of 50 features, more than there are images."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), each)
    centers = 10 * random.normal(size=(4, 50))
    train = centers[labels] + random.normal(size=(len(labels), 50))
    test = centers + random.normal(size=(4, 50))
    assert linear_accuracy(train, labels, test, np.arange(4)) == 1.0


def test_a_fifth_of_every_class_is_held_out_the_same_every_time():
    """Of classes of 1, 2, 4, 9, 10 and 23 images 0, 1, 1, 1, 2 and 4."""
    labels = np.random.default_rng(1).permutation(np.repeat(range(6), [1, 2, 4, 9, 10, 23]))
    held_out = hold_out(labels)
    assert np.bincount(labels[held_out], minlength=6).tolist() == [0, 1, 1, 1, 2, 4]
    np.testing.assert_array_equal(held_out, hold_out(labels))


@pytest.mark.parametrize("penalties", [[], [1.0, 0.0], [-1.0], [float("nan")]])
def test_penalties_out_of_range(penalties):
    with pytest.raises(ValueError, match=r"Expected positive penalties. Received: penalties="):
        linear_accuracy(*clusters([6, 3]), penalties)


def test_score_has_images_and_chance():
    """Class 0 of 3, 2 and 2 training images is that of 4 of 10 test images."""
    train, labels, test, truth = clusters([7, 10], noise=0.01)
    assert str(linear_score(train, labels[:, None], test, truth)) == (
        "linear 1.00 ± .07 of 10 images, chance .40"
    )


@pytest.mark.parametrize("part", [1, 40, 333])
def test_parts_that_are_computed_with_at_once_change_nothing(monkeypatch, part):
    """One row at a time, and parts that do not divide the images."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, 300)
    vectors = random.normal(size=(5, 9))[labels] + random.normal(size=(300, 9))
    test, truth = vectors[200:], labels[200:]
    data = vectors[:200], labels[:200]
    whole, classifier = linear_accuracy(*data, test, truth), linear_classifier(*data)
    monkeypatch.setattr(module, "_LARGEST_PART", part)
    assert linear_accuracy(*data, test, truth) == whole
    np.testing.assert_allclose(linear_classifier(*data).weights, classifier.weights, atol=1e-12)


def test_neither_a_copy_of_all_vectors_nor_one_hot_labels_are_made():
    """In float64 the vectors alone would take 26 MB, and 1,000 classes of each image 160 MB."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(20_000, 160)).astype("float32")
    labels = random.integers(0, 1000, 20_000)
    tracemalloc.start()
    try:
        linear_accuracy(vectors, labels, vectors[:10], labels[:10], penalties=[1.0])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 200e6
