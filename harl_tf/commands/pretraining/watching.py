"""What is watched while a run trains: probes, the log, a verdict an epoch."""

import time
from collections.abc import Collection
from typing import Any

import keras

from harl_tf import callbacks, data
from harl_tf.commands.pretraining.plan import Plan
from harl_tf.commands.refusal import CommandError
from harl_tf.recipes import Recipe
from harl_tf.runs import RunFolder

PROBES = "probes"
"""Where ``run.json`` has the number of probes."""

_SURE = 20.0
"""Seconds of a probe in which compiling it does not matter."""

_RANKED = 1024
"""Number of views whose features are ranked; more hardly change their rank."""


LABELS_SINCE = "labeled_since"
"""Where ``run.json`` has the result of ``labels_since``."""


def halves(folder: str, recipe: Recipe) -> list[Any]:
    """Labeled photographs to learn the classes from, and others to classify.

    Raises:
        CommandError: If there are too few, or too few classes.
        RecordsError: If the folder has no labels.
    """
    classes = data.read_manifest(folder).classes
    if len(classes) == 1:  # before anything is read; none at all is refused below
        raise CommandError(
            f"{folder} has one class, {classes[0]}, and a probe tells classes apart; use records "
            "of two class folders or more, or leave out --labeled."
        )
    keep = (data.in_first_half, data.in_second_half)
    found = [data.labeled_images(folder, recipe.probe_size, keep=half) for half in keep]
    if not all(half.cardinality() for half in found):
        raise CommandError(f"{folder} has too few photographs for a probe on two halves of it.")
    return found


def labels_since(
    folder: RunFolder, change: Collection[str], checkpoint: callbacks.Checkpoint
) -> int:
    """Epochs that were done when the probes were given other photographs; 0 if they never were.

    Until the first epoch with the new ones is saved, the state has values of the old ones, which it
    forgets.

    Args:
        folder: The folder of the run.
        change: What the run is to change now.
        checkpoint: Has resumed the run.
    """
    done = checkpoint.position.epoch
    since = done if "labeled" in change else int(folder.begun().get(LABELS_SINCE, 0))
    if since and done <= since:
        checkpoint.forget(callbacks.LabeledProbe.names)
    return since


def watchers(
    folder: RunFolder,
    views: data.PairedViews,
    labeled: list[Any] | None,
    plan: Plan,
    chief: bool,
    since: int,
) -> list[keras.callbacks.Callback]:
    """The callbacks that only watch, in their order.

    Args:
        folder: The folder of the run, which has the log.
        views: The stream.
        labeled: As made by ``halves``; None if there are no labels.
        plan: The epochs and the number of probes of this part of the run.
        chief: Whether this process writes the log.
        since: Epochs that were done when ``labeled`` replaced other photographs.
    """
    every = -(-plan.added // plan.probes)
    found: list[keras.callbacks.Callback] = [callbacks.RankProbe(views, every, limit=_RANKED)]
    if labeled is not None:
        found.insert(0, callbacks.LabeledProbe(labeled[0], labeled[1], every))
    if chief:
        found += [folder.log, callbacks.Verdict(folder.log, since)]
    return found


def seconds_of_probe(model: keras.Model, labeled: list[Any]) -> float:
    """How long a probe takes, once it is compiled.

    Args:
        model: The model.
        labeled: As made by ``halves``.
    """
    probe = callbacks.LabeledProbe(*labeled)
    probe.set_model(model)
    for _ in range(2):
        start = time.monotonic()
        probe.measure()
        seconds = time.monotonic() - start
        if seconds > _SURE:
            break
    return seconds


def say_before(
    watching: list[keras.callbacks.Callback], model: keras.Model, begun: callbacks.Position
) -> None:
    """Prints what the random start is worth, if this is the start and there are labels."""
    for each in watching:
        if isinstance(each, callbacks.LabeledProbe) and begun == callbacks.Position(0):
            each.set_model(model)
            print(f"before training: {each.measure()[1]}")
