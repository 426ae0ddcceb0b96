"""A recipe over the parts of a run: its schedules once over each of them.

Owns what a run that goes on after its end does with its schedules: a warm restart (Loshchilov and
Hutter, SGDR, 2017). The learning rate had fallen to 0, and so each part has a cosine of its own,
and so has everything else that changes over a run, such as the momentum of the target network.
Weights, the state of the optimizer, targets, queues and the order of the photographs go on.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from harl_tf.pretraining import Pretraining
from harl_tf.recipes import Recipe
from harl_tf.recipes.over_run import OverRun, Part
from harl_tf.schedules import InParts

SHORT_WARMUP = 0.1
"""Largest share of a later part for its warm-up: the optimizer's state is warm already."""


def model_in_parts(
    recipe: Recipe, ends: Sequence[int], steps_per_epoch: int, backbone: keras.Model | None = None
) -> Pretraining:
    """The model of a recipe for a run of one or more parts; ``Recipe.build_model`` for one.

    Args:
        recipe: The recipe; its ``epochs`` are not used.
        ends: Epochs after which each part ends, such as ``(10, 20)``.
        steps_per_epoch: Updates of an epoch.
        backbone: As in ``Recipe.build_model``.

    Returns:
        The model, not yet compiled.

    Example:
        >>> recipe = harl_tf.recipes.RECIPES["byol_small"]
        >>> model = model_in_parts(recipe, (10, 20), 100)
        >>> [round(float(model.momentum(step)), 3) for step in (0, 999, 1000, 1999)]
        [0.9, 1.0, 0.9, 1.0]
    """
    lengths = [length * steps_per_epoch for length in _lengths(ends)]
    settings = _in_parts(recipe.settings, tuple(lengths))
    return dataclasses.replace(recipe, settings=settings).build_model(sum(lengths), backbone)


def optimizer_in_parts(
    recipe: Recipe, ends: Sequence[int], steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe for a run of one or more parts; the recipe's own for one.

    Args:
        recipe: The recipe.
        ends: As in ``model_in_parts``.
        steps_per_epoch: Likewise.

    Returns:
        The optimizer. In each part its learning rate is that of a run of that length; the warm-up
        of later parts takes at most a tenth of them. A rate without a schedule stays as it is.

    Example:
        >>> recipe = harl_tf.recipes.RECIPES["byol_small"]
        >>> optimizer = optimizer_in_parts(recipe, (10, 20), 100)
        >>> rate = InParts.from_config(optimizer.get_config()["learning_rate"]["config"])
        >>> [round(float(rate(step)), 4) for step in (0, 80, 1000, 1080, 2000)]
        [0.0, 0.003, 0.0, 0.003, 0.0]
    """
    first, *others = _lengths(ends)
    optimizer = recipe.optimizer(first * steps_per_epoch, steps_per_epoch, recipe.batch_size)
    schedules = [_schedule(optimizer)]
    for epochs in others:
        settings = _warm(recipe.optimizer, epochs)
        later = settings(epochs * steps_per_epoch, steps_per_epoch, recipe.batch_size)
        schedules.append(_schedule(later))
    if others and None not in schedules:
        lengths = [epochs * steps_per_epoch for epochs in (first, *others[:-1])]
        optimizer.learning_rate = InParts(schedules, lengths)
    return optimizer


@dataclasses.dataclass(frozen=True)
class _OverParts(OverRun):
    """A cosine over each part of a run; what ``OverRun`` is in a run of one part."""

    lengths: tuple[int, ...] = ()

    def build(self, steps: int) -> Any:
        """The schedule; the lengths of the parts, in updates, are known already."""
        parts = [super(_OverParts, self).build(length) for length in self.lengths]
        return InParts(parts, self.lengths[:-1])


def _lengths(ends: Sequence[int]) -> list[int]:
    lengths = [end - begin for begin, end in zip((0, *ends), ends, strict=False)]
    if not lengths or any(length < 1 for length in lengths):
        raise ValueError(f"Expected ends of parts, rising from 1 on. Received: {list(ends)}.")
    return lengths


def _in_parts(settings: Mapping[str, Any], lengths: tuple[int, ...]) -> dict[str, Any]:
    """The settings of a method, with everything that changes over a run changing over each part."""
    if len(lengths) == 1:
        return dict(settings)

    def converted(value: Any) -> Any:
        if isinstance(value, Part):
            return dataclasses.replace(value, settings=_in_parts(value.settings, lengths))
        if isinstance(value, OverRun):
            return _OverParts(value.start, value.end, value.floor, lengths)
        return value

    return {name: converted(value) for name, value in settings.items()}


def _schedule(
    optimizer: keras.optimizers.Optimizer,
) -> keras.optimizers.schedules.LearningRateSchedule | None:
    """An optimizer's schedule; None if its rate is a number."""
    rate = optimizer.get_config()["learning_rate"]
    return keras.optimizers.schedules.deserialize(rate) if isinstance(rate, dict) else None


def _warm(settings: Any, epochs: int) -> Any:
    """An optimizer's settings with a warm-up as short as that of a later part."""
    rate = settings.rate
    shorter = dataclasses.replace(
        rate,
        warmup_epochs=min(rate.warmup_epochs, SHORT_WARMUP * epochs),
        warmup_share=min(rate.warmup_share, SHORT_WARMUP),
    )
    return dataclasses.replace(settings, rate=shorter)
