"""How many labels does a pretrained backbone save?

Owns the draws and the table. A classifier is fine-tuned on a few labeled images of each class,
once from the pretrained backbone and once from the weights that pretraining started from. Both have
the same images, crops, classification layer, optimizer and number of steps; the learning rate is
the one that is best for random initialization. Every number of images is drawn several times.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from harl_tf.evaluation import FineTuning
from quickstart_parts.labeled import Labeled

COUNTS = (5, 10, 20)
"""Labeled images of each class, where there are as many."""


@dataclasses.dataclass(frozen=True)
class Row:
    """Accuracies on the test images, one for each draw of the labeled images.

    Attributes:
        count: Labeled images of each class, in words.
        pretrained: Fine-tuned from the pretrained backbone.
        random: From random initialization, with the same labeled images.
    """

    count: str
    pretrained: Sequence[float]
    random: Sequence[float]

    @property
    def gains(self) -> list[float]:
        """Difference on the same labeled images."""
        return [a - b for a, b in zip(self.pretrained, self.random, strict=True)]

    @property
    def is_sure(self) -> bool:
        """Whether pretraining gains at least two standard errors."""
        gain, error = mean_and_error(self.gains)
        return gain > 0 and gain >= 2 * error

    def cells(self) -> tuple[str, str, str, str]:
        """The row as text."""
        accuracies = (in_words(self.pretrained), in_words(self.random))
        return (self.count, *accuracies, in_words(self.gains, sign=True))


HEADER = ("labeled images a class", "pretrained", "random initialization", "difference")


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))


def in_words(values: Sequence[float], sign: bool = False) -> str:
    """Mean and standard error without zeros before the points, such as ``.724 ± .013``."""
    mean, error = mean_and_error(values)
    texts = (f"{mean:{'+' if sign else ''}.3f}", f"{error:.3f}")
    return " ± ".join(text.replace("0.", ".", 1) for text in texts)


def draws(train: Labeled, count: int | None, number: int) -> Iterator[Labeled]:
    """Several draws of labeled images, the same number of each class.

    Args:
        train: The images to draw from.
        count: Images of each class. None: all of them, every time.
        number: Number of draws.
    """
    for draw in range(number):
        places = np.random.default_rng(draw)
        orders = [places.permutation(np.flatnonzero(train.labels == c)) for c in labels_of(train)]
        chosen = np.concatenate([order[:count] for order in orders])
        yield Labeled(train.images[chosen], train.labels[chosen])


def labels_of(train: Labeled) -> np.ndarray:
    """The labels that occur."""
    return np.unique(train.labels)


def counts_for(train: Labeled) -> list[int | None]:
    """Numbers of labeled images a class for which every class has enough; None: all images."""
    sizes = np.bincount(train.labels)
    counts: list[int | None] = [count for count in COUNTS if count <= sizes.min()]
    return counts if sizes.max() in counts else [*counts, None]


def steps_for(train: Labeled, steps: int) -> int:
    """Steps of fine-tuning: more for more images, with the square root of their number.

    Args:
        train: The images.
        steps: Steps for the least of ``COUNTS`` of each class.
    """
    per_class = len(train.labels) / len(labels_of(train))
    return round(steps * math.sqrt(per_class / COUNTS[0]))


def measure(
    tuning: FineTuning,
    pretrained: Sequence[np.ndarray],
    random: Sequence[np.ndarray],
    train: Labeled,
    test: Labeled,
    steps: int,
    number: int,
    say: Callable[[Row], None],
) -> list[Row]:
    """Fine-tunes from both for every number of labeled images.

    Afterwards, ``tuning.classifier`` is the last one fine-tuned from the pretrained backbone.

    Args:
        tuning: The classifier.
        pretrained: Weights of the pretrained backbone.
        random: Weights of the same network before pretraining.
        train: All labeled images.
        test: The images to classify.
        steps: Length of a fine-tuning on the least images; see ``steps_for``.
        number: Draws of the labeled images.
        say: Called with each row.
    """
    rows = []
    for count in counts_for(train):
        found: list[list[float]] = [[], []]
        for seed, images in enumerate(draws(train, count, number)):
            for into, weights in zip(found, (random, pretrained), strict=True):
                length = steps_for(images, steps)
                learned = images.images, images.labels
                asked = test.images, test.labels
                into.append(tuning.accuracy(weights, learned, asked, length, seed))
        name = str(count) if count else all_in_words(train)
        rows.append(Row(name, pretrained=found[1], random=found[0]))
        say(rows[-1])
    return rows


def all_in_words(train: Labeled) -> str:
    """Such as ``all 60``, or ``all 12 to 60`` if the classes differ in size."""
    sizes = np.bincount(train.labels)
    return f"all {sizes.min()}" + (f" to {sizes.max()}" if sizes.max() > sizes.min() else "")


def verdict(rows: Sequence[Row]) -> str:
    """What the table says, in a sentence."""
    sure = [row.count for row in rows if row.is_sure]
    unsure = [row.count for row in rows if not row.is_sure]
    if not sure:
        return (
            "No advantage was shown: at no number of labeled images is the pretrained backbone "
            "ahead by two standard errors."
        )
    sentence = (
        f"Pretraining gains two standard errors or more at {_listed(sure)} labeled images a class"
    )
    return sentence + (f", but not at {_listed(unsure)}." if unsure else ".")


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
