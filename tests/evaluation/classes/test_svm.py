"""The choice of costs and the weights, against scikit-learn put together by other means."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from harl_tf.evaluation import svm_map


def data(images, seed):
    random = np.random.default_rng(seed)
    targets = (random.uniform(size=(images, 3)) < 0.4).astype(int)
    centers = np.random.default_rng(9).normal(size=(3, 6))
    return targets @ centers + 1.5 * random.normal(size=(images, 6)), targets


def test_svm_map_is_that_of_a_grid_search():
    train, targets = data(90, 0)
    test, answers = data(60, 1)
    expected = []
    for target, answer in zip(targets.T, answers.T, strict=True):
        search = GridSearchCV(
            LinearSVC(class_weight={0: 1, 1: 2}, dual=True, max_iter=2000, random_state=0),
            {"C": [0.01, 1.0, 10.0]},
            scoring="average_precision",
            cv=StratifiedKFold(3, shuffle=True, random_state=0),
        ).fit(normalize(train), target)
        values = search.decision_function(normalize(test))
        expected.append(average_precision_score(answer, values))
    found = svm_map(train, targets, test, answers, costs=[0.01, 1.0, 10.0])
    assert found == pytest.approx(np.mean(expected), abs=1e-12)
    assert 0.5 < found < 1


def test_difficult_objects_do_not_count():
    """As if those images were not there."""
    train, targets = data(90, 0)
    test, answers = data(60, 1)
    answers[:7, 0] = -1
    targets[:5, 0] = -1
    alone = svm_map(train[5:], targets[5:, :1], test[7:], answers[7:, :1], costs=[1.0])
    assert svm_map(train, targets[:, :1], test, answers[:, :1], costs=[1.0]) == alone


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[1].__setitem__((slice(None), 2), 0), "at least 3 images of every class"),
        (lambda data: data[1].__setitem__((slice(None), 1), 1), "at least 3 images without every"),
        (lambda data: data[1].__setitem__((0, 0), 2), "values 1, 0 and -1"),
    ],
)
def test_bad_targets_are_named(change, words):
    train = data(30, 0)
    change(train)
    with pytest.raises(ValueError, match=words):
        svm_map(*train, *data(30, 1), costs=[1.0])
