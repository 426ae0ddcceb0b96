"""How long a run is, in whatever its user thinks: minutes, hours, steps or epochs.

Owns the way from each of them to whole epochs, in which a run is scheduled, saved and resumed. Time
becomes steps by measuring steps of the same recipe on the same records.
"""

import argparse
import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from harl_tf.commands.refusal import CommandError
from harl_tf.data import PairedViews
from harl_tf.recipes import Recipe
from harl_tf.recipes.over_run import flat
from harl_tf.zoo import list_presets
from harl_tf.zoo.places import is_at_hand

FEW_STEPS = 500
"""Below as many updates from a random start, the user is told."""

MANY_STEPS = 50_000
"""From as many updates on, which are hours on a few processor cores, the user is told."""

_LARGE_SHARE = 0.25
"""A batch of more than this share of the photographs is called large."""

_UNTIMED, _TIMED = 3, 6
"""Steps of a measurement: the first ones compile the graph and fill the stream's buffers."""

_SECONDS = 5.0
"""A measurement goes on for as long, because single steps vary; of slow ones, for ``_TIMED``."""

_LONG = 300.0
"""Seconds that an epoch may take, however little time was asked for."""

_RESERVE = 0.9
"""Share of the time for steps; the rest is for compiling, probes and the export."""


PROBES = 20
"""Approximate number of probes of a run, fewer if they would take long."""

_PROBING = 0.2
"""Largest share of the time for probes."""


class Costs(NamedTuple):
    """What the parts of a run take, in seconds.

    Attributes:
        step: A step.
        probe: A probe of the labeled photographs; 0 without any. Default: 0.
    """

    step: float
    probe: float = 0.0

    def probes(self, seconds: float) -> int:
        """How often a run of so long is probed: at its beginning and end, and in between.

        Example:
            >>> Costs(0.1, probe=3.0).probes(240), Costs(0.1).probes(240)
            (16, 20)
        """
        return max(2, int(min(PROBES, _PROBING * seconds / max(self.probe, 1e-9))))


def duration(text: str) -> float:
    """A positive number of minutes or hours.

    Raises:
        ArgumentTypeError: If it is none.

    Example:
        >>> duration("1.5")
        1.5
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a positive number, received {text}")
    return number


def asked(arguments: argparse.Namespace) -> dict[str, float]:
    """The length that the command line asks for other than in epochs; at most one entry.

    Example:
        >>> asked(argparse.Namespace(minutes=None, hours=2.0, steps=None))
        {'hours': 2.0}
    """
    given = {name: getattr(arguments, name) for name in ("minutes", "hours", "steps")}
    return {name: value for name, value in given.items() if value is not None}


def in_epochs(
    length: dict[str, float],
    recipe: Recipe,
    steps_per_epoch: int,
    costs: Callable[[], Costs],
) -> Recipe:
    """The recipe with as many whole epochs as a length comes to, at least one.

    Args:
        length: As ``asked`` returns it; empty leaves the recipe as it is.
        recipe: The recipe.
        steps_per_epoch: Steps of an epoch.
        costs: Measures a step and a probe; called only if the length is a time.

    Returns:
        The recipe.

    Raises:
        CommandError: If one epoch takes more than twice the time.

    Example:
        Twelve minutes, of which nine tenths are for steps of half a second: 1296 steps.

        >>> from harl_tf.recipes import RECIPES
        >>> recipe = RECIPES["byol_small"]
        >>> in_epochs({"minutes": 12}, recipe, 100, lambda: Costs(0.5)).epochs
        A step takes 0.50 s: 12 minutes are 12 epochs, 1200 steps.
        12
        >>> in_epochs({"steps": 250}, recipe, 100, lambda: Costs(0.5)).epochs
        3
        >>> in_epochs({"minutes": 12}, recipe, 100, lambda: Costs(0.5, probe=5.0)).epochs
        A step takes 0.50 s, 20 probes of the labeled photographs 100 s: 12 minutes are 10 ...
        10
    """
    for unit, seconds in _UNITS.items():
        if unit in length:
            step, probe = costs()
            probes = costs().probes(seconds_in(length))
            left = _RESERVE * seconds_in(length) - probes * probe
            epochs = int(left / step / steps_per_epoch)
            steps = max(epochs, 1) * steps_per_epoch
            one = length[unit] == 1
            asked_for = f"1 {unit[:-1]} is" if one else f"{length[unit]:g} {unit} are"
            come_to = f"{epochs} epochs" if epochs > 1 else "1 epoch"
            other = f", {probes} probes of the labeled photographs {probes * probe:.0f} s"
            takes = f"A step takes {step:.2f} s{other if probe else ''}"
            print(f"{takes}: {asked_for} {come_to}, {steps} steps.")
            if epochs < 1:
                _check_patience(steps * step, length[unit] * seconds)
            return dataclasses.replace(recipe, epochs=max(epochs, 1))
    if "steps" in length:
        return dataclasses.replace(recipe, epochs=math.ceil(length["steps"] / steps_per_epoch))
    return recipe


def seconds_in(length: dict[str, float]) -> float:
    """A length that is a time, in seconds; 0 for any other.

    Example:
        >>> seconds_in({"minutes": 2}), seconds_in({"steps": 100})
        (120.0, 0.0)
    """
    return sum(length.get(unit, 0) * seconds for unit, seconds in _UNITS.items())


_UNITS = {"minutes": 60.0, "hours": 3600.0}


def _check_patience(epoch: float, asked: float) -> None:
    """Says that an epoch takes longer than the seconds asked for, and refuses if that is much."""
    takes = f"One epoch alone takes {epoch / 60:.1f} minutes"
    if epoch > max(_LONG, 2 * asked):
        raise CommandError(
            f"{takes}, and a run is whole epochs; say --minutes {math.ceil(epoch / 60 / _RESERVE)} "
            "or more, or use fewer photographs."
        )
    print(f"{takes}.")


def warnings(
    recipe: Recipe,
    photographs: int,
    steps_per_epoch: int,
    random_start: bool = True,
    in_time: bool = False,
) -> list[str]:
    """What is to be said of a run too short, or a batch too large, to learn much, or too long.

    Args:
        recipe: The recipe, its length and batch size settled.
        photographs: Number of photographs.
        steps_per_epoch: Steps of an epoch.
        random_start: Whether the run begins with random weights. Default: True.
        in_time: Whether the length was asked for in minutes, hours or steps. Default: False.

    Returns:
        Sentences; none if nothing is to be said.

    Example:
        >>> from harl_tf.recipes import RECIPES
        >>> recipe = RECIPES["byol_small"]
        >>> for sentence in warnings(recipe, photographs=376, steps_per_epoch=2):
        ...     print(sentence)
        80 steps are few to learn from a random start. Use --epochs 250 or more, or say ...
        A batch of 128 is large for 376 photographs; --batch-size 64 gives more steps ...
    """
    found = []
    steps = recipe.epochs * steps_per_epoch
    if random_start and steps < FEW_STEPS:
        enough = math.ceil(FEW_STEPS / steps_per_epoch)
        found.append(
            f"{steps} steps are few to learn from a random start. Use --epochs {enough} or more, "
            "or say how much time there is with --minutes."
        )
    if steps >= MANY_STEPS and not in_time:
        found.append(
            f"{steps} steps take hours on a few processor cores. --minutes or --hours say how much "
            "time there is."
        )
    shared = dataclasses.replace(recipe, batch_share=_LARGE_SHARE)
    smaller = shared.for_photographs(photographs).batch_size
    if smaller < recipe.batch_size:
        found.append(
            f"A batch of {recipe.batch_size} is large for {photographs} photographs; "
            f"--batch-size {smaller} gives more steps for the same work."
        )
    queues = [size for name, size in flat(recipe.settings).items() if name.endswith("queue_size")]
    if queues and max(queues) > photographs / 2:
        found.append(
            f"A queue of {max(queues)} keys is large for {photographs} photographs: keys of an "
            "image are among its own negatives. The recipes that end in _small have shorter ones."
        )
    return found


def better_start(recipe: Recipe, steps: int) -> str | None:
    """What is to be said of a short run from random weights, if there are trained ones for it.

    Args:
        recipe: The recipe.
        steps: Steps of the run.

    Returns:
        A sentence; None if the run is long, or there are none at hand.

    Example:
        >>> from harl_tf.recipes import RECIPES
        >>> better_start(RECIPES["hapicl_small"], 500)
        'So short a run learns more from weights that other photographs have taught: --from ...'
        >>> better_start(RECIPES["hapicl_small"], 5000) is None
        True
    """
    presets = [each for each in list_presets() if each.recipe == recipe.name and is_at_hand(each)]
    if steps >= _SHORT or not presets:
        return None
    return (
        "So short a run learns more from weights that other photographs have taught: --from "
        f"{presets[0].name}."
    )


_SHORT = 1000
"""Steps below which trained weights are recommended; .075 were gained within 600."""


def slow_statistics(backbone: keras.Model, steps: int) -> str | None:
    """What is to be said of batch normalization whose statistics lag behind a short run.

    Args:
        backbone: A network with random weights.
        steps: Steps of the run.

    Returns:
        A sentence; None if nothing is to be said.

    Example:
        >>> slow_statistics(keras.applications.MobileNetV3Small(weights=None), 168)
        'After 168 steps, the statistics of the batch normalization, of momentum 0.999, are ...'
        >>> slow_statistics(harl_tf.backbones.small_resnet(), 168) is None
        True
    """
    layers = backbone._flatten_layers()
    momenta = [each.momentum for each in layers if isinstance(each, _BATCH_NORMALIZATION)]
    slowest = max(momenta, default=0.0)
    if slowest <= _QUICK_MOMENTUM or slowest**steps < _LAGGING:
        return None
    return (
        f"After {steps} steps, the statistics of the batch normalization, of momentum {slowest:g}, "
        f"are still {100 * slowest**steps:.0f} % those of the start, with which features are "
        f"computed. Build the network with a momentum of {_QUICK_MOMENTUM:g}, or train longer."
    )


_BATCH_NORMALIZATION = keras.layers.BatchNormalization
_QUICK_MOMENTUM, _LAGGING = 0.9, 0.05


class _Clock(keras.callbacks.Callback):
    """Notes when each step ended, and ends the training when there were enough."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.times.append(time.perf_counter())
        timed = self.times[_UNTIMED - 1 :]
        if len(timed) > _TIMED and timed[-1] - timed[0] > _SECONDS:
            self.model.stop_training = True


def measure(model: keras.Model, views: PairedViews) -> float:
    """Seconds of a step of a compiled model on a stream, the stream's own time included.

    Args:
        model: The model; it is trained by it, so use one to throw away.
        views: The stream.

    """
    clock = _Clock()
    model.fit(views, epochs=_MANY, callbacks=[clock], verbose=0)
    timed = clock.times[_UNTIMED - 1 :]
    return (timed[-1] - timed[0]) / (len(timed) - 1)


_MANY = 1_000_000
"""Epochs of a measurement, which its clock ends."""
