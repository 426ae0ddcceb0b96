"""What a run may change when it goes on.

Owns the names of such changes, which differences of settings each of them explains, and where a run
stands whose epochs have another number of steps.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any

from harl_tf.callbacks.saving.saved import Position

CHANGES = {
    "accumulate": r"accumulation_steps",
    "batch_size": r"data\.batch_size",
    "epochs": "",
    "records": r"data\.records",
}
"""Names, and the settings that they explain besides schedules."""

_WITH_SCHEDULES = frozenset({"batch_size", "epochs", "records"})
_SCHEDULES = (
    r"optimizer\.config\.learning_rate(\..*)?",
    r".*\.config\.(steps|schedules|lengths|decay_steps|warmup_steps)(\[\d+\].*)?",
)
"""Lengths of schedules anywhere, and all of the learning rate, which goes with a batch."""


def check_changes(change: Collection[str]) -> None:
    """Refuses a name that is not one of ``CHANGES``.

    Raises:
        ValueError: For such a name.

    Example:
        >>> check_changes(["seed"])
        Traceback (most recent call last):
        ValueError: Expected changes among accumulate, batch_size, epochs, records. Received: seed.
    """
    if strange := sorted(set(change) - CHANGES.keys()):
        raise ValueError(f"Expected changes among {', '.join(CHANGES)}. Received: {strange[0]}.")


def unexplained(paths: Iterable[str], change: Collection[str]) -> list[str]:
    """The settings that differ for another reason than a change that is wanted.

    Args:
        paths: Where settings differ, as in ``differences``.
        change: Names of ``CHANGES``.

    Example:
        >>> unexplained(["data.seed", "data.batch_size"], ["batch_size"])
        ['data.seed']
    """
    patterns = [CHANGES[name] for name in change]
    if _WITH_SCHEDULES & set(change):
        patterns += _SCHEDULES
    return [path for path in paths if not any(re.fullmatch(each, path) for each in patterns)]


def moved(state: dict[str, Any], steps_per_epoch: int) -> Position:
    """Where a run stands if its epochs have another number of steps from now on.

    Args:
        state: What was saved with it.
        steps_per_epoch: Steps of an epoch from now on.

    Returns:
        The same epoch, after the same share of it; of states of earlier versions, at its start.

    Example:
        >>> moved({"epoch": 3, "step": 5, "steps_per_epoch": 10}, 4)
        Position(epoch=3, step=2)
    """
    before = state.get("steps_per_epoch")
    step = state["step"] * steps_per_epoch // before if before else 0
    return Position(state["epoch"], step)
