"""The papers' protocol, against the same steps in float64."""

import keras
import numpy as np
import pytest

from harl_tf.evaluation import linear_sgd_score
from harl_tf.evaluation.classes.linear_sgd import trained


def vectors(count, seed, classes=3, dimensions=5):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centers = np.random.default_rng(9).normal(size=(classes, dimensions))
    return centers[labels] + random.normal(scale=0.3, size=(count, dimensions)), labels


def by_hand(features, labels, rate, epochs):
    """Full batches, so that no order matters: momentum .9 after Nesterov, rate along a cosine."""
    targets = np.eye(labels.max() + 1)[labels]
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    weights = np.zeros((features.shape[1], targets.shape[1]))
    velocity = np.zeros_like(weights)
    for step in range(epochs):
        logits = features @ weights
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        gradient = features.T @ (shares - targets) / len(features)
        now = rate * (1 + np.cos(np.pi * step / epochs)) / 2
        velocity = 0.9 * velocity - now * gradient
        weights = weights + 0.9 * velocity - now * gradient
    return weights[:-1], weights[-1]


def test_steps_are_those_of_sgd_with_momentum_along_a_cosine(monkeypatch):
    monkeypatch.setattr("harl_tf.evaluation.classes.linear_sgd._STEPS", 1)
    features, labels = vectors(12, 0)
    weights, bias = trained(features, labels, 0.3, 25, 1024, seed=0)
    expected_weights, expected_bias = by_hand(features, labels, 0.3, 25)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(bias, expected_bias, rtol=1e-4, atol=1e-5)


def test_it_classifies_and_repeats_itself():
    data = *vectors(60, 1), *vectors(40, 2)
    keras.utils.set_random_seed(0)
    score = linear_sgd_score(*data, rates=[0.1, 0.3], epochs=5)
    keras.utils.set_random_seed(1)  # the order is that of the argument
    assert score == linear_sgd_score(*data, rates=[0.1, 0.3], epochs=5)
    one, other = (trained(*data[:2], 0.1, 2, 8, seed)[0] for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert score.accuracy > 0.9
    assert (score.name, score.images) == ("linear_sgd", 40)
    assert score.chance == pytest.approx(14 / 40)


def test_rate_is_that_with_which_left_out_vectors_are_classified_best(monkeypatch):
    """With the others everything is class 0. A fifth of 60 is left out, and then learned from."""
    seen = []

    def stub(features, labels, rate, epochs, batch_size, seed):
        seen.append((len(features), rate))
        weights, bias = trained(features, labels, rate, epochs, batch_size, seed)
        return weights * (rate == 0.2), bias * (rate == 0.2)

    monkeypatch.setattr("harl_tf.evaluation.classes.linear_sgd.trained", stub)
    data = *vectors(60, 1), *vectors(40, 2)
    score = linear_sgd_score(*data, rates=[0.1, 0.2, 0.3], epochs=5)
    assert seen == [(48, 0.1), (48, 0.2), (48, 0.3), (60, 0.2)]
    assert score.accuracy > 0.9


@pytest.mark.parametrize("rates", [[], [0.1, 0.0], [np.inf]])
def test_rates_that_are_none_are_named(rates):
    data = *vectors(6, 1), *vectors(6, 2)
    with pytest.raises(ValueError, match="Expected positive rates"):
        linear_sgd_score(*data, rates=rates)
