"""The labeled photographs that an evaluation learns from, and those that it scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harl_tf.commands import photographs
from harl_tf.commands.evaluating.halves import first_half
from harl_tf.commands.refusal import CommandError


class Part(NamedTuple):
    """Photographs of known classes.

    Attributes:
        answers: For each question ``(photographs, ...)``.
        labels: ``(photographs,)`` ints from 0.
    """

    answers: list[np.ndarray]
    labels: np.ndarray


def parts(
    folder: str, test: str | None, size: int, questions: Sequence[photographs.Asked]
) -> tuple[Part, Part]:
    """Looks at all photographs of one or two sources.

    Args:
        folder: To learn from; whatever ``photographs.look`` takes, with classes.
        test: The same classes, to score. None: half of ``folder``, by a hash of the name.
        size: Side of the squares in pixels.
        questions: What to ask about each batch.

    Returns:
        What is learned from, and what is scored.

    Raises:
        CommandError: If there is no such source, there are too few photographs or classes, or the
            classes differ.

    Example:
        >>> parts("no/such/folder", None, 32, [])
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: There is no folder no/such/folder.
    """
    learned = photographs.look(folder, size, questions)
    photographs.check_classes(learned, folder)
    if test is None:
        first = first_half(learned.names, f"{folder} has too few photographs for two halves.")
        return _only(learned, first), _only(learned, ~first)
    scored = photographs.look(test, size, questions)
    photographs.check_classes(scored, test)
    if scored.classes != learned.classes:
        raise CommandError(
            f"Expected the class folders of {folder} in {test}, too. "
            f"Received: {_some(scored.classes)} instead of {_some(learned.classes)}."
        )
    return Part(learned.answers, learned.labels), Part(scored.answers, scored.labels)


def _only(seen: photographs.Seen, kept: np.ndarray) -> Part:
    return Part([each[kept] for each in seen.answers], seen.labels[kept])


def _some(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:5]) + (", …" if len(classes) > 5 else "")
