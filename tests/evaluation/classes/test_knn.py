"""The weighted vote of nearest neighbors."""

import math

import numpy as np
import pytest

from harl_tf.evaluation import knn_accuracy, knn_score


def angles(*degrees):
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=-1)


def by_loops(train, train_labels, test, test_labels, neighbors, temperature):
    """The definition, one test vector at a time."""
    right = 0
    for vector, label in zip(test, test_labels, strict=True):
        cosines = [
            float(vector @ other) / math.sqrt(float(vector @ vector) * float(other @ other))
            for other in train
        ]
        votes = {}
        for index in sorted(range(len(train)), key=lambda i: -cosines[i])[:neighbors]:
            weight = math.exp(cosines[index] / temperature)
            votes[train_labels[index]] = votes.get(train_labels[index], 0.0) + weight
        right += max(votes, key=lambda c: votes[c]) == label
    return right / len(test)


@pytest.mark.parametrize("neighbors", [1, 3, 7, 50])
@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_knn_accuracy_equals_its_definition(neighbors, temperature):
    random = np.random.default_rng(0)
    train_labels, test_labels = random.integers(0, 4, 40), random.integers(0, 4, 30)
    centers = 0.7 * random.normal(size=(4, 5))
    train = centers[train_labels] + random.normal(size=(40, 5))
    test = centers[test_labels] + random.normal(size=(30, 5))
    arguments = (train, train_labels, test, test_labels, neighbors, temperature)
    expected = by_loops(*arguments)
    assert 0.2 < expected < 1
    assert knn_accuracy(*arguments) == pytest.approx(expected)


def test_knn_accuracy_closer_neighbor_outvotes_two_farther_ones():
    """At 0° votes 10° for class 0 and 60°, -60° for class 1: cosines 0.985, 0.5, 0.5.

    At τ = 0.07 e^(0.485/0.07) = 1000 against 2; at τ = 10 it is 1.05 against 2.
    """
    train, labels = angles(10, 60, -60), np.array([0, 1, 1])
    test, truth = angles(0), np.array([0])
    assert knn_accuracy(train, labels, test, truth, 3, temperature=0.07) == 1.0
    assert knn_accuracy(train, labels, test, truth, 3, temperature=10.0) == 0.0
    assert knn_accuracy(train, labels, test, truth, 1, temperature=10.0) == 1.0


def test_knn_accuracy_lengths_do_not_matter():
    train, labels = angles(0, 90), np.array([0, 1])
    test, truth = angles(20, 70), np.array([0, 1])
    scale = np.array([[1e-3], [1e5]])
    assert knn_accuracy(train * scale, labels, test * scale[::-1], truth, 1) == 1.0


def test_knn_accuracy_tiny_temperature_does_not_overflow():
    """E^(1 / 1e-6) is infinite; only ratios to the nearest are taken."""
    train, labels = angles(0, 5, 90), np.array([0, 0, 1])
    assert knn_accuracy(train, labels, angles(1, 89), np.array([0, 1]), temperature=1e-6) == 1.0


def test_knn_accuracy_class_absent_from_training_is_wrong():
    train, labels = angles(0, 90), np.array([0, 1])
    assert knn_accuracy(train, labels, angles(0, 90), np.array([0, 5]), 1) == 0.5


@pytest.mark.parametrize("settings", [{"neighbors": 0}, {"temperature": 0.0}])
def test_knn_accuracy_settings_out_of_range(settings):
    one, label = angles(0), np.array([0])
    with pytest.raises(ValueError, match=r"Expected neighbors ≥ 1 and temperature > 0. Received"):
        knn_accuracy(one, label, one, label, **settings)


@pytest.mark.parametrize(("train", "test"), [(0, 3), (3, 0)])
def test_knn_accuracy_without_vectors(train, test):
    vectors, labels = np.ones((3, 2)), np.zeros(3, int)
    sentence = rf"Expected training and test vectors. Received: {train} and {test}"
    with pytest.raises(ValueError, match=sentence):
        knn_accuracy(vectors[:train], labels[:train], vectors[:test], labels[:test])


def random_set(seed=0, train=90, test=60):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, train), random.integers(0, 3, test)
    vectors = [random.normal(size=(len(each), 8)) + 3 * np.eye(3, 8)[each] for each in labels]
    return vectors[0], labels[0], vectors[1], labels[1]


def test_labels_in_a_column_are_labels():
    """Compared with a row, a column would count agreements of every image with every other."""
    train, train_labels, test, test_labels = random_set()
    plain = knn_accuracy(train, train_labels, test, test_labels)
    assert 0.5 < plain == knn_accuracy(train, train_labels[:, None], test, test_labels[:, None])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.eye(3)[np.arange(60) % 3], r"\(images,\).*argmax.*shape \(60, 3\)"),
        (np.arange(60) % 3 - 1, r"Expected test_labels from 0; .* Received: -1"),
        (np.arange(60) / 3, r"test_labels as whole numbers.*float64"),
        (np.array(["cat"] * 60), "test_labels as whole numbers"),
        (np.arange(59) % 3, r"as many test_labels as test_vectors.* 59 and 60"),
    ],
    ids=["one_hot", "negative", "floats", "names", "fewer"],
)
def test_labels_that_are_no_class_numbers_are_refused(labels, message):
    train, train_labels, test, _ = random_set()
    with pytest.raises(ValueError, match=message):
        knn_accuracy(train, train_labels, test, labels)


def test_accuracy_in_parts_is_that_of_the_whole(monkeypatch):
    """7 rows at a time do not divide 60."""
    data = random_set()
    whole = knn_accuracy(*data)
    monkeypatch.setattr("harl_tf.evaluation.classes.knn._LARGEST_PART", 7 * 90)
    assert knn_accuracy(*data) == whole


def test_centered_features_are_compared_around_the_mean_of_the_training_vectors():
    """Seen from the origin (9, 10) and (10, 9) are 6° apart, and the long (30, 28) is closer to the
    first's mirror image; around the mean (9.5, 9.5) the classes lie on opposite sides.
    """
    train, labels = np.array([[9.0, 10.0], [10.0, 9.0]]), np.array([0, 1])
    test, truth = np.array([[19.0, 20.0], [8.9, 9.1]]), np.array([0, 0])
    moved = train - train.mean(axis=0), labels, test - train.mean(axis=0), truth
    for neighbors in (1, 2):
        centered = knn_accuracy(train, labels, test, truth, neighbors, center=True)
        assert centered == knn_accuracy(*moved, neighbors) == 1.0


def test_centering_uses_the_training_vectors_alone():
    """The test vectors' own mean would put both on the wrong side: 0° and 90° lie around 45°."""
    train, labels = 10 + angles(0, 180), np.array([0, 1])
    assert knn_accuracy(train, labels, 10 + angles(10, 20), np.array([0, 0]), 1, center=True) == 1.0


def test_rare_class_does_not_decide_how_many_neighbors_vote():
    """Of 20 classes of 50; one image of another class costs no more than its own share."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 50)
    centers = random.normal(size=(21, 16))
    train, test = (centers[labels] + 1.5 * random.normal(size=(1000, 16)) for _ in range(2))
    without = knn_score(train, labels, test, labels).accuracy
    assert without == knn_accuracy(train, labels, test, labels, neighbors=20)
    rare = np.vstack([train, centers[20]]), np.append(labels, 20)
    assert abs(knn_score(*rare, test, labels).accuracy - without) < 0.01


def test_of_small_classes_no_more_neighbors_vote_than_they_have():
    train, labels, test, truth = random_set(train=9, test=30)
    labels = np.repeat([0, 1, 2], [2, 3, 4])
    assert knn_score(train, labels, test, truth).accuracy == knn_accuracy(
        train, labels, test, truth, neighbors=3
    )
