"""Whether a metric changes from epoch to epoch, or only its noise does.

Owns the statistics: a straight line through the latest values and the error of its slope, over the
epochs and, because learning curves are steep at first, over their logarithm.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import scipy.stats

WINDOW = 10
"""Number of latest values that a trend is read from."""
_CHANCE = 5e-4
"""How often noise alone may look like a rise, and how often like a fall."""
_HINT = 2.5
"""Standard errors of a slope that may be noise, but should not be called no change."""
_LEAST_CHANGE = 2e-3
"""A change below this share of the values does not matter, however certain it is."""
_LEAST, _LEAST_PROBED = 3, 5
"""Values that a direction needs, and probes, whose few images make a straight line of three often.
"""
_JUMP = 4.0
"""Deviations of the other values by which the last one leaves them, so that nothing is settled."""
_SAME_WAY = 2.0
"""Standard errors of the latest slope that a longer trend needs, lest it be one that has ended."""


@dataclasses.dataclass(frozen=True)
class Trend:
    """The latest values of a metric.

    Attributes:
        first: First value of the window.
        last: Last value, that of the latest epoch.
        direction: 1 if the metric rises, -1 if it falls, 0 if noise explains what it does.
        settled: Whether there is no hint of a direction, nor a last value unlike the others.
    """

    first: float
    last: float
    direction: int
    settled: bool

    @property
    def rises(self) -> bool:
        """Whether it rises for certain."""
        return self.direction > 0

    @property
    def falls(self) -> bool:
        """Whether it falls for certain."""
        return self.direction < 0


def trend(history: Sequence[Mapping[str, float]], name: str, repeats: bool = False) -> Trend | None:
    """The trend of a metric over the latest epochs.

    Straight lines over the epochs and over their logarithm are fitted to the latest ten values, and
    if they are too noisy, to twice as many, provided that the latest ten still point the same way.
    The steeper slope counts if, by Student's t, noise has such a slope once in two thousand times.

    Args:
        history: Metrics of every epoch, the latest last; those without this metric are passed over.
        name: The metric.
        repeats: Whether this is a probe's: equal values in a row are one value, as they are in the
            logs between the epochs that are due, and a direction needs five. Default: False.

    Returns:
        The trend, or None if no epoch has the metric.

    Example:
        >>> trend([{"loss": 3.0 - 0.1 * epoch} for epoch in range(6)], "loss").falls
        True
        >>> trend([{"loss": loss} for loss in (3.0, 2.9, 3.1, 3.0, 3.1, 2.9)], "loss").direction
        0
    """
    points = [(epoch + 1.0, row[name]) for epoch, row in enumerate(history) if name in row]
    if not points:
        return None
    if repeats:
        points = [
            point for at, point in enumerate(points) if not at or point[1] != points[at - 1][1]
        ]
    latest, longer = points[-WINDOW:], points[-2 * WINDOW :]
    least = _LEAST_PROBED if repeats else _LEAST
    steepness = _steepness(latest)
    used, found = latest, _direction(latest, steepness, least)
    if not found and steepness * _steepness(longer) > 0 and abs(steepness) > _SAME_WAY:
        found = _direction(longer, _steepness(longer), least)
        used = longer if found else latest
    settled = abs(steepness) < _HINT and not _jumps([value for _, value in latest])
    return Trend(used[0][1], points[-1][1], found, settled)


def _jumps(values: Sequence[float]) -> bool:
    """Whether the last value is unlike the others, by more than their noise and rounding."""
    *others, last = values
    if len(others) < 2:
        return False
    finest = np.diff(np.unique(others)).min(initial=np.inf)
    noise = max(float(np.std(others, ddof=1)), 0.0 if np.isinf(finest) else float(finest))
    noise = max(noise, _LEAST_CHANGE * max(map(abs, others)))
    return abs(last - float(np.mean(others))) > _JUMP * noise


def _direction(points: Sequence[tuple[float, float]], steepness: float, least: int) -> int:
    """The sign of a slope that noise does not explain and that matters; else 0."""
    if len(points) < least:
        return 0
    values = [value for _, value in points]
    matters = max(values) - min(values) > _LEAST_CHANGE * max(map(abs, values))
    certain = abs(steepness) > scipy.stats.t.isf(_CHANCE / 2, len(points) - 2)
    return int(np.sign(steepness)) if certain and matters else 0


def _steepness(points: Sequence[tuple[float, float]]) -> float:
    """Slope over its standard error, of the line that fits better; two values have no error."""
    if len(points) < 3:
        return 0.0
    epochs, values = np.array(points, np.float64).T
    return max((_slope(each, values) for each in (epochs, np.log(epochs))), key=abs)


def _slope(epochs: np.ndarray, values: np.ndarray) -> float:
    """Slope of the line through the points over its standard error, at least that of rounding."""
    epochs, centered = epochs - epochs.mean(), values - values.mean()
    spread = float(epochs @ epochs)
    slope = float(epochs @ centered) / spread
    rest = centered - slope * epochs
    noise = float(rest @ rest) / (len(values) - 2) + (1e-9 * float(np.abs(values).max())) ** 2
    return slope / max(float(np.sqrt(noise / spread)), 1e-300)
