"""Settings that can only be built for a specific run: schedules and branches.

A recipe consists of plain values, so that it can be printed and compared. Settings that need the
number of updates of a run, or that hold weights, are described by these classes and made by
``build``.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from harl_tf.schedules import Cosine


@dataclasses.dataclass(frozen=True)
class OverRun:
    """Half a cosine from one value to another over the whole run; see ``schedules.Cosine``.

    Attributes:
        start: Value at the first update.
        end: Value at the last one.
        floor: Smallest value. Default: none.

    Example:
        >>> print(OverRun(0.9, 0.0, floor=0.3))
        0.9 → 0.0 as a cosine, at least 0.3
        >>> schedule = OverRun(0.99, 1.0).build(steps=100)
        >>> round(float(schedule(50)), 4)
        0.995
    """

    start: float
    end: float
    floor: float | None = None

    def build(self, steps: int) -> Cosine:
        """The schedule for a run of ``steps`` updates."""
        return Cosine(self.start, self.end, steps, floor=self.floor)

    def __str__(self) -> str:
        text = f"{self.start} → {self.end} as a cosine"
        return text if self.floor is None else f"{text}, at least {self.floor}"


@dataclasses.dataclass(frozen=True)
class Part:
    """A branch of a method with its arguments; built for every model, because it holds weights.

    Attributes:
        make: The branch's class.
        settings: Its arguments, as in ``Recipe.settings``.

    Example:
        >>> part = Part(harl_tf.methods.InstanceContrast, {"temperature": 0.1})
        >>> part.build(steps=100).temperature
        0.1
    """

    make: Callable[..., Any]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def build(self, steps: int) -> Any:
        """The branch for a run of ``steps`` updates."""
        return self.make(**build_all(self.settings, steps))

    def __str__(self) -> str:
        return self.make.__name__


def build_all(settings: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Builds all settings for a run; plain values stay as they are.

    Args:
        settings: Plain values, ``OverRun`` and ``Part`` objects, by name.
        steps: Updates of the whole run.

    Returns:
        The arguments by name.

    Example:
        >>> build_all({"temperature": 0.2}, steps=100)
        {'temperature': 0.2}
    """
    return {
        name: value.build(steps) if isinstance(value, OverRun | Part) else value
        for name, value in settings.items()
    }


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings together with those of the branches among them, named ``branch.setting``.

    Example:
        >>> flat({"instance": Part(harl_tf.methods.InstanceContrast, {"temperature": 0.1})})
        {'instance': Part(...), 'instance.temperature': 0.1}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found[name] = value
        if isinstance(value, Part):
            found |= {f"{name}.{inner}": each for inner, each in flat(value.settings).items()}
    return found
