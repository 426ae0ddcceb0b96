"""What a run may change when it goes on.

Owns the names of such changes, which differences of settings each of them explains, and where a run
stands whose epochs have another number of steps.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any

from harl_tf.callbacks.saving.saved import Position
from harl_tf.callbacks.saving.settings import Difference

CHANGES = {
    "accumulate": r"accumulation_steps",
    "batch_size": r"data\.(batch_size|passes_per_epoch)",
    "epochs": "",
    "records": r"data\.(records|passes_per_epoch)",
}
"""Names, and the settings that each explains besides schedules."""

_OF_STEPS = frozenset({"batch_size", "records"})
_OF_SCHEDULES = _OF_STEPS | {"epochs"}
_RATE = re.compile(r"optimizer\.config\.(inner_optimizer\.config\.)?learning_rate(\..*)?")
_VALUES = re.compile(
    r".*\.(start|end|floor|initial_learning_rate|warmup_target|alpha|decay_rate|values)(\[\d+\])?"
)
"""What a schedule gives, in difference to when."""


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


def unexplained(found: Iterable[Difference], change: Collection[str]) -> list[Difference]:
    """The differences that have another reason than a change that is wanted.

    Args:
        found: The differences.
        change: Names of ``CHANGES``.

    Example:
        >>> from harl_tf.callbacks.saving.settings import differences
        >>> found = differences({"data": {"seed": 0}}, {"data": {"seed": 7}}, updates=0)
        >>> unexplained(found, ["batch_size"]) == found
        True
    """
    return [each for each in found if not _is_explained(each, change)]


def _is_explained(found: Difference, change: Collection[str]) -> bool:
    if any(re.fullmatch(CHANGES[name], found.path) for name in change):
        return True
    both = found.saved is not None and found.current is not None
    if "batch_size" in change and _RATE.fullmatch(found.path):
        numbers = isinstance(found.saved, float) and isinstance(found.current, float)
        return numbers or found.schedule is not None
    if found.schedule is None or not _OF_SCHEDULES & set(change):
        return False
    return not (both and _VALUES.fullmatch(found.path))


def changes_steps(change: Collection[str]) -> bool:
    """Whether epochs may have another number of steps afterwards."""
    return bool(_OF_STEPS & set(change))


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
    return Position(state["epoch"], min(step, steps_per_epoch - 1))


def rate_of(settings: dict[str, Any]) -> Any:
    """The learning rate of a run's settings: a number, or a serialized schedule."""
    config = settings["optimizer"]["config"]
    if "inner_optimizer" in config:  # of mixed precision with float16
        config = config["inner_optimizer"]["config"]
    return config.get("learning_rate")
