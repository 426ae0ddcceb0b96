"""The labeled photographs that an evaluation learns from, and those that it scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harl_tf.commands import photographs
from harl_tf.commands.evaluating.halves import first_half
from harl_tf.commands.refusal import CommandError
from mask_generation.inputs.file_names import some


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
    numbers = None if test is None else _numbers(folder, test)  # before anything is computed
    learned = photographs.look(folder, size, questions)
    photographs.check_classes(learned, folder)
    if test is None:
        first = first_half(learned.names, f"{folder} has too few photographs for two halves.")
        train, rest = _only(learned, first), _only(learned, ~first)
    else:
        scored = photographs.look(test, size, questions)
        photographs.check_classes(scored, test)
        train = Part(learned.answers, learned.labels)
        rest = Part(scored.answers, np.asarray(numbers)[scored.labels])
    _tell_never_learned(train.labels, rest.labels)
    return train, rest


def _only(seen: photographs.Seen, kept: np.ndarray) -> Part:
    return Part([each[kept] for each in seen.answers], seen.labels[kept])


def _numbers(folder: str, test: str) -> list[int]:
    """The number that each class of ``test`` has in ``folder``, which may have more of them."""
    learned, scored = photographs.classes_of(folder), photographs.classes_of(test)
    if unknown := [name for name in scored if name not in learned]:
        raise CommandError(
            f"Expected in {test} the classes of {folder}, {some(learned)}. Received: "
            f"{some(unknown)}, which {folder} does not have."
        )
    if missing := [name for name in learned if name not in scored]:
        print(f"note: {test} has no class {some(missing)}.")
    return [learned.index(name) for name in scored]


def _tell_never_learned(train: np.ndarray, test: np.ndarray) -> None:
    """Says which share of what is scored cannot be right."""
    never = np.setdiff1d(test, train)
    if len(never):
        lost = int(np.isin(test, never).sum())
        print(
            f"note: of {len(never)} of {len(np.union1d(train, test))} classes there is no "
            f"photograph to learn from; {lost} of the {len(test)} that are scored cannot be right."
        )
