"""What is watched while a run trains: probes, the log, a verdict an epoch."""

from collections.abc import Collection
from typing import Any

import keras

from harl_tf import callbacks, data
from harl_tf.commands.refusal import CommandError
from harl_tf.recipes import Recipe
from harl_tf.runs import RunFolder

_PROBES = 20
"""Approximate number of probes per run."""

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
    epochs: int,
    chief: bool,
    since: int,
) -> list[keras.callbacks.Callback]:
    """The callbacks that only watch, in their order.

    Args:
        folder: The folder of the run, which has the log.
        views: The stream.
        labeled: As made by ``halves``; None if there are no labels.
        epochs: Epochs of this part of the run.
        chief: Whether this process writes the log.
        since: Epochs that were done when ``labeled`` replaced other photographs.
    """
    every = -(-epochs // _PROBES)
    found: list[keras.callbacks.Callback] = [callbacks.RankProbe(views, every, limit=_RANKED)]
    if labeled is not None:
        found.insert(0, callbacks.LabeledProbe(labeled[0], labeled[1], every))
    if chief:
        found += [folder.log, callbacks.Verdict(folder.log, since)]
    return found


def say_before(
    watching: list[keras.callbacks.Callback], model: keras.Model, begun: callbacks.Position
) -> None:
    """Prints what the random start is worth, if this is the start and there are labels."""
    for each in watching:
        if isinstance(each, callbacks.LabeledProbe) and begun == callbacks.Position(0):
            each.set_model(model)
            print(f"before training: {each.measure()[1]}")
