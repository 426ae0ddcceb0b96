import functools

import numpy as np
import pytest

from harl_tf.evaluation import (
    EVALUATORS,
    Labeled,
    evaluate,
    few_labels,
    linear_accuracy,
    linear_sgd_score,
    svm_map,
)
from harl_tf.evaluation.evaluators import DEFAULT
from tests.evaluation.classes.test_linear import clusters


@pytest.fixture(scope="module")
def data():
    return Labeled(*clusters([120, 60], dimensions=8, noise=1.0))


def test_every_evaluation_has_values_with_all_they_need(data):
    found = {measured.name: measured for measured in evaluate(data)}
    assert set(found) == {*DEFAULT, "recall@1", "recall@5", "map"} - {"retrieval"}
    for measured in found.values():
        assert 0.3 < measured.value <= 1
        assert measured.images == 60
    assert (found["linear"].labels, found["linear_10%"].labels) == (120, 12)
    assert found["linear_1%"].labels == 3  # at least one of every class


def test_few_labels_are_those_of_the_seed(data):
    (measured,) = evaluate(data, ("linear_10%",), seed=3)
    kept = few_labels(data.train_labels, 0.1, seed=3)
    expected = linear_accuracy(data.train_vectors[kept], data.train_labels[kept], *data[2:])
    assert measured.value == expected


def test_those_that_take_longer_are_measured_when_asked_for(data, monkeypatch):
    """Three classes of equal size: answers in any order have a precision of a third."""
    short = functools.partial(linear_sgd_score, rates=[0.1], epochs=30)
    monkeypatch.setattr("harl_tf.evaluation.evaluators.linear_sgd_score", short)
    names = tuple(EVALUATORS)[len(DEFAULT) :]
    sgd, svm = evaluate(data, names)
    assert (sgd.name, svm.name) == ("linear_sgd", "svm_map")
    train, test = (np.eye(3, dtype=int)[labels] for labels in (data.train_labels, data.test_labels))
    assert svm.value == svm_map(data.train_vectors, train, data.test_vectors, test)
    assert svm.chance == pytest.approx(1 / 3)
    for measured in (sgd, svm):
        assert measured.value > 0.4
        assert (measured.images, measured.labels) == (60, 120)


def test_unknown_evaluation_is_an_error(data):
    with pytest.raises(KeyError):
        evaluate(data, ("nothing",))


def test_line_says_what_is_known():
    from harl_tf.evaluation import Measured

    assert str(Measured("knn", 0.5, 40, 0.08, 0.1, 20)) == (
        "knn .50 ± .08 of 40 images, 20 labels, chance .10"
    )
    assert np.isclose(Measured("map", 0.5, 40).value, 0.5)
