"""The papers' linear probe: a linear classifier trained step by step."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from harl_tf.evaluation.classes.linear import hold_out
from harl_tf.evaluation.score import Score, chance_accuracy
from harl_tf.evaluation.vectors import check_data

RATES = (0.4, 0.3, 0.2, 0.1, 0.05)
"""Learning rates to choose from, those of BYOL (Grill et al. 2020, appendix C.1)."""

_STEPS = 20
"""Least number of steps of an epoch, by smaller batches where there are few images."""


def linear_sgd_score(
    train_vectors: np.ndarray,
    train_labels: np.ndarray,
    test_vectors: np.ndarray,
    test_labels: np.ndarray,
    rates: Sequence[float] = RATES,
    epochs: int = 80,
    batch_size: int = 1024,
    seed: int = 0,
) -> Score:
    """Share of test vectors that a linear classifier gets right that SGD has trained.

    BYOL's protocol: cross-entropy, momentum .9 after Nesterov, no weight decay, a cosine; a fifth
    of every class of the *training* vectors chooses the rate. Unlike there, the vectors are those
    of one crop of every image, instead of a random one each epoch. ``linear_score`` has nothing to
    tune and takes a fraction of the time; this is for figures beside published ones.

    Args:
        train_vectors: ``(train, dimensions)``.
        train_labels: ``(train,)`` or ``(train, 1)`` ints from 0.
        test_vectors: ``(test, dimensions)``.
        test_labels: ``(test,)`` or ``(test, 1)`` ints from 0.
        rates: Positive learning rates to choose from. Default: .4, .3, .2, .1, .05.
        epochs: Length. Default: 80.
        batch_size: Vectors of a step, at most a twentieth of them. Default: 1,024.
        seed: Of the order. Default: 0.

    Returns:
        The accuracy, the number of images and the level of chance.

    Raises:
        ValueError: If there are no rates or one is not positive, or vectors or labels are not as
            described or not finite.

    Example:
        >>> vectors, labels = np.eye(4)[[0, 0, 1, 1]], np.array([0, 0, 1, 1])
        >>> print(linear_sgd_score(vectors, labels, vectors, labels, rates=[0.4]))
        linear_sgd 1.00 ± .17 of 4 images, chance .50
    """
    if not rates or not all(0 < each < np.inf for each in rates):
        raise ValueError(f"Expected positive rates. Received: rates={tuple(rates)}.")
    train, labels, test, truth = check_data(train_vectors, train_labels, test_vectors, test_labels)
    rate = sorted(rates)[len(rates) // 2]
    held_out = hold_out(labels)
    if held_out.any() and len(rates) > 1:
        fitted = train[~held_out], labels[~held_out]
        judged = [
            np.mean(
                _found(*trained(*fitted, each, epochs, batch_size, seed), train[held_out])
                == labels[held_out]
            )
            for each in rates
        ]
        rate = rates[int(np.argmax(judged))]
    found = _found(*trained(train, labels, rate, epochs, batch_size, seed), test)
    accuracy = float(np.mean(found == truth))
    return Score("linear_sgd", accuracy, len(truth), chance_accuracy(labels, truth))


def trained(
    vectors: np.ndarray, labels: np.ndarray, rate: float, epochs: int, batch_size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A linear classifier, from zeros.

    Args:
        vectors: ``(images, dimensions)``.
        labels: ``(images,)`` ints from 0.
        rate: Learning rate at the start.
        epochs: Length.
        batch_size: Vectors of a step, at most a twentieth of them.
        seed: Of the order.

    Returns:
        Weights ``(dimensions, classes)`` and bias ``(classes,)``; a class for every number up to
        the largest.

    Example:
        >>> weights, bias = trained(np.eye(2), np.array([0, 1]), 0.1, 1, 2, seed=0)
        >>> bool(weights[0, 0] > weights[0, 1])
        True
    """
    size = max(1, min(batch_size, len(vectors) // _STEPS))
    steps = -(-len(vectors) // size)
    model = keras.Sequential(
        [keras.layers.Dense(int(labels.max()) + 1, kernel_initializer="zeros")]
    )
    model.compile(
        keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(rate, epochs * steps),
            momentum=0.9,
            nesterov=True,
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    features, random = vectors.astype("float32"), np.random.default_rng(seed)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _ in range(epochs):
            order = random.permutation(len(features))
            for start in range(0, len(order), size):
                some = order[start : start + size]
                yield features[some], labels[some]

    # All epochs in one call of fit, whose own beginning takes longer than an epoch of a few images.
    signature = (
        tf.TensorSpec((None, features.shape[1]), tf.float32),
        tf.TensorSpec((None,), tf.int64),
    )
    stream = tf.data.Dataset.from_generator(batches, output_signature=signature)
    model.fit(stream, steps_per_epoch=epochs * steps, verbose=0, shuffle=False)
    weights, bias = model.get_weights()
    return weights, bias


def _found(weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    labels: np.ndarray = (vectors @ weights + bias).argmax(axis=1)
    return labels
