"""Fine-tuning for ``evaluate``: with 1 %, 10 % and all of the labels."""

from collections.abc import Iterator

import keras
import numpy as np

from harl_tf.backbones import rebuild
from harl_tf.evaluation import FineTuning, Measured, Score, few_labels
from harl_tf.evaluation.fine_tuned.classifier import Examples
from harl_tf.evaluation.score import chance_accuracy
from harl_tf.layers import FusedBatchNormalization

SHARES = {"fine_tuned_1%": 0.01, "fine_tuned_10%": 0.1, "fine_tuned": 1.0}
"""Of the labels."""

_RATE = 1e-3
_CROP = 7 / 8
"""Side of the crops that are trained on, as a share of the photograph's."""


def photographs(images: np.ndarray) -> np.ndarray:
    """Asks for the photographs themselves."""
    return images


def measured(
    network: keras.Model, train: Examples, test: Examples, steps: int, seed: int
) -> Iterator[Measured]:
    """Fine-tunes copies of a network, each time from its weights.

    Args:
        network: A backbone. It is not changed.
        train: Images and labels to learn from.
        test: To score.
        steps: Length of each fine-tuning.
        seed: Which labels are kept, first weights of the head, order and crops.

    Yields:
        The accuracy with each share of the labels.

    Example:
        >>> backbone = harl_tf.backbones.small_resnet(10, width=8)
        >>> data = np.zeros((4, 32, 32, 3), "uint8"), np.array([0, 1, 0, 1])
        >>> [each.labels for each in measured(backbone, data, data, steps=1, seed=0)]
        [2, 2, 4]
    """
    size, fixed = train[0].shape[1], network.inputs[0].shape[1] is not None
    keras.utils.set_random_seed(seed)
    copy = rebuild(network, FusedBatchNormalization)
    classes = int(max(train[1].max(), test[1].max())) + 1
    tuning = FineTuning(copy, classes, size if fixed else round(size * _CROP), _RATE)
    for name, share in SHARES.items():
        kept = few_labels(train[1], share, seed=seed) if share < 1 else np.full(len(train[1]), True)
        labels = train[1][kept]
        accuracy = tuning.accuracy(
            network.get_weights(), (train[0][kept], labels), test, steps, seed
        )
        score = Score(name, accuracy, len(test[1]), chance_accuracy(labels, test[1]))
        yield Measured(
            name, accuracy, score.images, score.standard_error, score.chance, len(labels)
        )
