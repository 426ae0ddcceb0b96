"""``--from``: the weights that a run begins with, and whether the recipe can use them.

Owns the checks, which run before any training, and the words. Reading them is
``harl_tf.zoo.open_start``.
"""

import argparse
import dataclasses
from typing import Any

from harl_tf.backbones import strides
from harl_tf.commands import opening
from harl_tf.commands.refusal import CommandError
from harl_tf.pretraining.feature_maps import Level, level_names
from harl_tf.recipes import Recipe
from harl_tf.recipes.over_run import flat
from harl_tf.zoo import Start


def opened(arguments: argparse.Namespace, recipe: Recipe) -> Start | None:
    """The start that a command line names; None if it names none.

    Args:
        arguments: Those of the command line.
        recipe: The recipe, its image size settled.

    Raises:
        CommandError: If it cannot be read, or not be used by the recipe.
    """
    if arguments.start is None:
        if arguments.from_values is not None:
            raise CommandError("--from-values says what --from takes; give --from, too.")
        return None
    start = opening.opened(arguments.start, arguments.from_values)
    check(start, recipe)
    return start


def check(start: Start, recipe: Recipe) -> None:
    """Refuses a start that does not go with a recipe.

    Args:
        start: The start.
        recipe: The recipe.

    Raises:
        CommandError: If it lacks a map that the method works on, or its maps or its input do not
            go with the size of the images.

    Example:
        >>> recipe = dataclasses.replace(harl_tf.recipes.RECIPES["byol_small"], image_size=40)
        >>> check(Start("mine", "", False, resnet(18)), recipe)
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: mine needs an --image-size that is a multiple of ...
    """
    maps, size = start.network.output, recipe.image_size
    for name, level in flat(recipe.settings).items():
        if name.rpartition(".")[2] == "level":
            try:
                level_names(maps, level)
            except ValueError:
                raise CommandError(
                    f"{recipe.name} works on the map {_levels(level)}, which {start.source} does "
                    f"not have; it has {', '.join(maps)}. Use another recipe or start."
                ) from None
    opening.check_size(start, size, "which no recipe does")
    coarsest = max(strides(start.network).values())
    if size % coarsest:
        raise CommandError(
            f"{start.source} needs an --image-size that is a multiple of {coarsest}, the pixels "
            f"per cell of its last map, such as {max(size // coarsest, 1) * coarsest}; {size} is "
            "not."
        )


def probed_at(start: Start, recipe: Recipe) -> Recipe:
    """The recipe, probed at the size of its views if the network takes no other one.

    Args:
        start: The start.
        recipe: The recipe, which the start goes with.

    Example:
        >>> recipe = harl_tf.recipes.RECIPES["byol_small"]
        >>> probed_at(Start("mine", "", False, resnet(18)), recipe).probe_size
        64
    """
    fixed = start.network.inputs[0].shape[1] is not None
    return dataclasses.replace(recipe, probe_ratio=1.0) if fixed else recipe


def note(start: Start | None) -> dict[str, str] | None:
    """What a run remembers of its start, fit for JSON.

    Example:
        >>> note(Start("mine", "", False, resnet(18)))
        {'path': 'mine', 'digest': '...'}
    """
    return None if start is None else {"path": start.source, "digest": start.digest()}


def check_same(begun: dict[str, Any], now: dict[str, str] | None, folder: str) -> None:
    """Refuses to resume a run from other weights than it began with, under whatever name.

    Args:
        begun: Settings of the run; empty if there is none.
        now: As ``note`` makes it.
        folder: The folder of the run, for the message.

    Raises:
        CommandError: If the start is another.

    Example:
        >>> check_same({"epochs": 2, "start": {"path": "a.keras", "digest": "1"}}, None, "RUN")
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: RUN was begun from a.keras; give --from a.keras ...
    """
    before = begun.get("start")
    if not begun or (before or {}).get("digest") == (now or {}).get("digest"):
        return
    other = "or choose another folder."
    if before is None:
        raise CommandError(
            f"{folder} was begun from random weights; leave out --from to resume it, {other}"
        )
    path = before["path"]
    if now is None:
        raise CommandError(
            f"{folder} was begun from {path}; give --from {path} to resume it, {other}"
        )
    raise CommandError(
        f"{folder} was begun from {path}, with other weights or pixel values than {now['path']} "
        f"has now; give the start that it had to resume it, {other}"
    )


def in_words(start: Start) -> str:
    """What a run begins with, with the size of its last map's cells.

    Example:
        >>> in_words(Start("mine", "mine, a saved model", False, resnet(18)))
        'mine, a saved model; 32 pixels per cell of the last map'
    """
    last = list(strides(start.network).values())[-1]
    return f"{start.words}; {last} pixels per cell of the last map"


def _levels(level: Level) -> str:
    return " and ".join(map(str, [level] if isinstance(level, str | int) else level or ()))
