"""Which epochs a run has, after what its folder says and what the command line asks for.

Owns when a run goes on: an interrupted one to the end it was begun with, a finished one with more
epochs, ``--epochs`` being its total and ``--minutes``, ``--hours`` and ``--steps`` what is added.
"""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from harl_tf.callbacks import Position, saved_in
from harl_tf.commands.pretraining import budget
from harl_tf.commands.refusal import CommandError
from harl_tf.recipes import Recipe
from harl_tf.runs import RunFolder


class Plan(NamedTuple):
    """The epochs of a run.

    Attributes:
        ends: Epochs after which each part ends: ``(10,)``; ``(10, 20)`` once it has gone on.
        length: What the last part was asked for in, such as "30 minutes"; None for epochs.
        probes: Approximate number of probes of the last part. Default: ``budget.PROBES``.
    """

    ends: tuple[int, ...]
    length: str | None = None
    probes: int = budget.PROBES

    @property
    def epochs(self) -> int:
        """Epochs of the whole run."""
        return self.ends[-1]

    @property
    def added(self) -> int:
        """Epochs of the last part."""
        return self.ends[-1] - (self.ends[-2] if len(self.ends) > 1 else 0)


def planned(
    arguments: argparse.Namespace,
    recipe: Recipe,
    folder: RunFolder,
    steps_per_epoch: int,
    costs: Callable[[], budget.Costs],
) -> Plan:
    """The epochs of a run.

    Args:
        arguments: Those of the command line.
        recipe: The recipe, with the epochs from the command line, if any.
        folder: The folder of the run.
        steps_per_epoch: Steps of an epoch.
        costs: Measures a step and a probe; called only if a time must be converted.

    Raises:
        CommandError: If a run that is not finished is asked for another length, or a finished one
            for fewer epochs than it has; or if a change would end it before it has come to.
    """
    asked, begun = budget.asked(arguments), folder.begun()
    length = _in_words(asked)
    if not begun:
        return Plan((_epochs(asked, recipe, steps_per_epoch, costs),), length)
    plan = Plan(tuple(begun.get("parts") or [begun["epochs"]]), begun.get("length"))
    finished = tuple(folder.finished_parts())
    if not finished and length is None and "epochs" in arguments.change and arguments.epochs:
        done = max((saved.position for saved in saved_in(folder.path)), default=Position(0))
        least = max([done.epoch + (done.step > 0), *(end + 1 for end in plan.ends[:-1])])
        if arguments.epochs < least:
            raise CommandError(
                f"{folder.path} has come to {done.in_words()}; --epochs {arguments.epochs} would "
                f"end it before. Use {least} or more."
            )
        return Plan((*plan.ends[:-1], arguments.epochs))
    interrupted = not finished and length is not None and length == plan.length
    if interrupted or (length is None and arguments.epochs in (None, plan.epochs)):
        return plan
    if not finished:
        raise CommandError(_unfinished(folder, plan, length, arguments.epochs))
    if length is not None:
        added = _epochs(asked, recipe, steps_per_epoch, costs)
        return Plan((*finished, finished[-1] + added), length)
    if arguments.epochs < finished[-1]:
        raise CommandError(
            f"{folder.path} has {finished[-1]} epochs already, and --epochs is the total; choose "
            f"more than {finished[-1]} to go on, or another folder."
        )
    return Plan((*(end for end in finished if end < arguments.epochs), arguments.epochs))


def in_words(plan: Plan, recipe: Recipe, steps_per_epoch: int, done: Position) -> str | None:
    """What to say of a run that goes on after its end; None of any other.

    Args:
        plan: Its epochs.
        recipe: The recipe.
        steps_per_epoch: Steps of an epoch.
        done: What has been done.

    Example:
        >>> from harl_tf.recipes import RECIPES
        >>> print(in_words(Plan((10, 20)), RECIPES["byol_small"], 100, Position(10)))
        Going on after epoch 10 with 10 more, 1000 steps, from the saved weights and optimizer. ...
    """
    if len(plan.ends) == 1 or done != Position(plan.ends[-2]):
        return None
    return (
        f"Going on after {done.in_words()} with {plan.added} more, "
        f"{plan.added * steps_per_epoch} steps, from the saved weights and optimizer. The "
        "learning rate had fallen to its end; it rises again to "
        f"{recipe.optimizer.rate.peak(recipe.batch_size):.4g}, and every schedule of the recipe "
        "runs once more over the added epochs."
    )


def _epochs(
    asked: dict[str, float],
    recipe: Recipe,
    steps_per_epoch: int,
    costs: Callable[[], budget.Costs],
) -> int:
    return budget.in_epochs(asked, recipe, steps_per_epoch, costs).epochs


def _in_words(length: dict[str, float]) -> str | None:
    return ", ".join(f"{value:g} {unit}" for unit, value in length.items()) or None


def _unfinished(folder: RunFolder, plan: Plan, length: str | None, epochs: Any) -> str:
    asked = f"epochs {epochs}" if length is None else f"a length of {length}"
    more = length is not None or epochs > plan.epochs
    after = "; after that, it can go on with more" if more else ""
    change = "" if length else " To change it now, say --change epochs."
    return (
        f"{folder.path} was begun with epochs {plan.epochs}, not {asked.removeprefix('epochs ')}, "
        f"and is not finished: --epochs {plan.epochs} finishes it{after}. Or choose another folder."
        f"{change}"
    )
