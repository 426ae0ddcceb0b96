"""An accuracy with what is needed to judge it: of how many images, how sure, better than chance?"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Score:
    """How many of some images were classified right.

    Attributes:
        name: What was measured, such as "kNN".
        accuracy: Share of the images, within [0, 1].
        images: Their number.
        chance: Accuracy of always naming the training images' most frequent class.

    Example:
        >>> print(Score("kNN", accuracy=0.44, images=25, chance=1 / 3))
        kNN .44 ± .10 of 25 images, chance .33
    """

    name: str
    accuracy: float
    images: int
    chance: float

    @property
    def standard_error(self) -> float:
        """Standard error of ``accuracy``, that of a binomial share.

        All right or all wrong counts as half an image short of that, so that no set, however small,
        claims to be certain.
        """
        least = 0.5 / self.images
        share = min(max(self.accuracy, least), 1.0 - least)
        return math.sqrt(share * (1.0 - share) / self.images)

    def __str__(self) -> str:
        """One line for people."""
        return in_words([self])


def in_words(scores: Sequence[Score]) -> str:
    """Scores of the same images on one line.

    Args:
        scores: At least one.

    Example:
        >>> print(in_words([Score("kNN", 0.44, 25, 1 / 3), Score("linear", 0.52, 25, 1 / 3)]))
        kNN .44 ± .10, linear .52 ± .10 of 25 images, chance .33
    """
    shares = [
        f"{score.name} {short(score.accuracy)} ± {short(score.standard_error)}" for score in scores
    ]
    images, chance = scores[0].images, short(scores[0].chance)
    return f"{', '.join(shares)} of {images} images, chance {chance}"


def short(share: float) -> str:
    """Two decimals of a share, without a zero before the point.

    Example:
        >>> short(0.437), short(1.0), short(-0.2)
        ('.44', '1.00', '-.20')
    """
    return f"{share:.2f}".replace("0.", ".", 1) if abs(share) < 0.995 else f"{share:.2f}"


def chance_accuracy(train_labels: np.ndarray, test_labels: np.ndarray) -> float:
    """Accuracy of always naming the most frequent class of the training images.

    Args:
        train_labels: ``(train,)`` ints from 0.
        test_labels: ``(test,)`` ints from 0.

    Example:
        >>> chance_accuracy(np.array([0, 1, 1]), np.array([0, 1, 0, 0]))
        0.25
    """
    return float(np.mean(test_labels == np.bincount(train_labels).argmax()))
