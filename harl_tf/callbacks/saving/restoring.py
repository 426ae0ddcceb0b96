"""From a saved state to a model: what is compared, loaded and, if it is meant, changed."""

import json
import pathlib
from collections.abc import Collection
from typing import Any

import keras
import numpy as np

from harl_tf.callbacks.saving.change import CHANGES, changes_steps, moved, rate_of, unexplained
from harl_tf.callbacks.saving.saved import WEIGHTS, Position, Saved
from harl_tf.callbacks.saving.settings import differences


class ResumeError(Exception):
    """A run cannot be continued; the message says what differs and what to do."""


def restored(
    model: keras.Model,
    steps_per_epoch: int,
    settings: dict[str, Any],
    saved: Saved,
    change: Collection[str],
) -> Position:
    """Loads a saved state into a compiled model.

    Args:
        model: The model.
        steps_per_epoch: Steps of an epoch from now on.
        settings: The settings of now.
        saved: The state.
        change: What may differ from the settings of the run, see ``CHANGES``.

    Returns:
        Where the run goes on: that of the state or, if epochs have another number of steps now,
        after the same share of them.

    Raises:
        ResumeError: If something else differs.
    """
    state = saved.state()
    updates = saved.position.epoch * steps_per_epoch + saved.position.step
    _refuse_differences(state["settings"], settings, updates, saved.path, change)
    position = moved(state, steps_per_epoch) if changes_steps(change) else saved.position
    rate = rate_of(settings)
    with model.distribute_strategy.scope():
        # The state of an optimizer without variables would silently not be loaded.
        model.optimizer.build(model.trainable_variables)
        model.load_weights(saved.path / WEIGHTS)
        if changes_steps(change):  # schedules and methods look at the number of updates
            model.optimizer.iterations.assign(position.epoch * steps_per_epoch + position.step)
        if "batch_size" in change and isinstance(rate, float):  # constant: it is among the weights
            getattr(model.optimizer, "inner_optimizer", model.optimizer).learning_rate = rate
        for variable, value in zip(_seeds(model), state.get("seeds", ()), strict=False):
            variable.assign(value)
    return position


def seeds_of(model: keras.Model) -> list[list[int]]:
    """Where the random draws of layers such as ``Dropout`` are, which Keras saves with no weights.

    Example:
        >>> image = keras.Input((8,))
        >>> seeds_of(keras.Model(image, keras.layers.Dropout(0.5, seed=7)(image)))
        [[7, 0]]
    """
    return [[int(each) for each in np.asarray(variable)] for variable in _seeds(model)]


def _seeds(model: keras.Model) -> list[keras.Variable]:
    layers = model._flatten_layers()
    generators = [each for layer in layers for each in vars(layer).get("_seed_generators") or ()]
    return [generator.state for generator in generators]


def _refuse_differences(
    saved: dict[str, Any],
    current: dict[str, Any],
    updates: int,
    place: pathlib.Path,
    change: Collection[str],
) -> None:
    # Round trip through JSON, so that both sides have the same types.
    every = differences(saved, json.loads(json.dumps(current)), updates)
    if found := list(dict.fromkeys(each.words for each in unexplained(every, change))):
        shown = "; ".join(found[:3])
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise ResumeError(
            f"{place} belongs to a run with other settings: {shown}{more}. Use that run's "
            "settings to resume it, or another folder for a new run. What may be changed, if it is "
            f"meant: {', '.join(CHANGES)} (change=; of pretrain, --change)."
        )
