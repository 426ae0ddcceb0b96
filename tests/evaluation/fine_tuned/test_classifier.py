import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.evaluation import FineTuning
from harl_tf.evaluation.fine_tuned.classifier import random_crops


def pictures(count, seed, side=24):
    """Two classes, dark noise and bright noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = random.uniform(0, 100, (count, side, side, 3)) + 120 * labels[:, None, None, None]
    return images.astype("uint8"), labels


@pytest.fixture(scope="module")
def tuning():
    keras.utils.set_random_seed(0)
    backbone = harl_tf.backbones.small_resnet(10, width=8)
    return FineTuning(backbone, 2, side=16, rate=3e-3, batch_size=8), backbone.get_weights()


def test_it_learns(tuning):
    """Chance is one half."""
    classifier, weights = tuning
    assert classifier.accuracy(weights, pictures(32, 0), pictures(20, 1), steps=40) > 0.9


def test_every_fine_tuning_starts_anew(tuning):
    """The same start, labels and seed: the same accuracy, whatever was done before."""
    classifier, weights = tuning
    data = pictures(16, 2), pictures(40, 3)
    first = classifier.accuracy(weights, *data, steps=6, seed=1)
    trained = [weight.numpy() for weight in classifier.classifier.weights]
    classifier.accuracy(weights, *data, steps=3, seed=2)
    assert classifier.accuracy(weights, *data, steps=6, seed=1) == first
    for value, weight in zip(trained, classifier.classifier.weights, strict=True):
        np.testing.assert_allclose(weight.numpy(), value, atol=1e-6)


def test_crops_are_those_of_the_seed_and_show_every_image():
    data = pictures(8, 0)

    def take(seed):
        return list(random_crops(data, 16, seed).take(8).as_numpy_iterator())

    one, same, other = take(0), take(0), take(1)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(one, other, strict=True))
    assert sorted(label for _, label in one) == sorted(data[1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda images, labels: (images / 255, labels), "values from 0 to 255"),
        (lambda images, labels: (images[:, :9], labels), "at least 16 pixels"),
        (lambda images, labels: (images, labels - 1), "labels from 0"),
    ],
)
def test_bad_input_is_named(tuning, change, words):
    classifier, weights = tuning
    good = pictures(8, 0)
    with pytest.raises(ValueError, match=words):
        classifier.accuracy(weights, change(*good), good, steps=1)
