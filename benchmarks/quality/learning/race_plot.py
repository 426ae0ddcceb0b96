"""Draws the race: accuracy against minutes, and how long lightly's final accuracy takes.

    python -m benchmarks.quality.learning.race_plot

Reads ``learning_race.csv`` and writes ``learning_race.png``; prints, for each data set, the final
accuracies as mean and standard error over seeds, and the minutes after which each contestant's mean
reaches the highest final accuracy of lightly.
"""

from collections.abc import Sequence

import numpy as np
from absl import app
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from benchmarks.harness import arguments, plots, results
from benchmarks.harness.results import Row

arguments.define("results")

TABLE = "learning_race.csv"
PROBES = ("knn", "linear")


def curve(rows: Sequence[Row], probe: str) -> tuple[np.ndarray, np.ndarray]:
    """Minutes and accuracy at each mark, ``(marks,)`` and ``(seeds, marks)``.

    Example:
        >>> rows = [
        ...     {"seed": seed, "minute": minute, "knn": accuracy}
        ...     for seed, minute, accuracy in (("0", "0", ".2"), ("0", "2", ".4"), ("1", "0", ".3"))
        ... ]
        >>> curve(rows[:2], "knn")
        (array([0., 2.]), array([[0.2, 0.4]]))
    """
    seeds = sorted({row["seed"] for row in rows})
    of_seed = [[row for row in rows if row["seed"] == seed] for seed in seeds]
    minutes = np.array([[float(row["minute"]) for row in each] for each in of_seed])
    accuracy = np.array([[float(row[probe]) for row in each] for each in of_seed])
    return minutes.mean(axis=0), accuracy


def minutes_to(accuracy: float, minutes: np.ndarray, reached: np.ndarray) -> float:
    """When a curve first reaches an accuracy, between marks by interpolation; NaN if never.

    Example:
        >>> minutes_to(0.3, np.array([0.0, 2.0, 4.0]), np.array([0.2, 0.4, 0.4]))
        1.0
    """
    if reached[0] >= accuracy:
        return 0.0
    for mark in range(1, len(minutes)):
        before, after = reached[mark - 1], reached[mark]
        if after >= accuracy:
            share = (accuracy - before) / (after - before)
            return float(round(minutes[mark - 1] + share * (minutes[mark] - minutes[mark - 1]), 6))
    return float("nan")


class Race:
    """The curves of a data set: minutes and accuracies ``(seeds, marks)`` by contestant and probe.

    Args:
        rows: The rows of the data set.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.contestants = sorted({row["contestant"] for row in rows})
        self.curves = {
            (name, probe): curve([row for row in rows if row["contestant"] == name], probe)
            for name in self.contestants
            for probe in PROBES
        }

    def final(self, name: str, probe: str) -> np.ndarray:
        """Accuracy at the end, of each seed."""
        return self.curves[name, probe][1][:, -1]

    def target(self, probe: str) -> float:
        """The highest final accuracy of lightly, a mean over seeds; 1 without any."""
        peers = [name for name in self.contestants if name.startswith("lightly")]
        return max((float(self.final(name, probe).mean()) for name in peers), default=1.0)

    def minutes(self, name: str, probe: str) -> float:
        """When the mean over seeds reaches the target."""
        minutes, accuracy = self.curves[name, probe]
        return minutes_to(self.target(probe), minutes, accuracy.mean(axis=0))

    def cells(self, name: str) -> list[str]:
        """A row of the table: final accuracies with standard errors, and minutes."""
        found = []
        for probe in PROBES:
            final = self.final(name, probe)
            error = final.std(ddof=1) / len(final) ** 0.5 if len(final) > 1 else float("nan")
            found.append(f"{final.mean():.3f} ± {error:.3f}".replace("0.", "."))
        for probe in PROBES:
            minutes = self.minutes(name, probe)
            found.append("–" if np.isnan(minutes) else f"{minutes:.1f}")
        return [name, *found]

    def draw(self, axes: Axes, probe: str) -> list[Line2D]:
        """Means over seeds, and from the lowest to the highest; returns the lines."""
        lines = []
        for name in self.contestants:
            minutes, accuracy = self.curves[name, probe]
            style = "-" if name.startswith("harl_tf") else "--"
            (line,) = axes.plot(minutes, accuracy.mean(axis=0), style)
            low, high = accuracy.min(axis=0), accuracy.max(axis=0)
            axes.fill_between(minutes, low, high, color=line.get_color(), alpha=0.1)
            lines.append(line)
        axes.set(xlabel="minutes", ylabel="accuracy")
        return lines


def main(_: list[str]) -> None:
    """Draws and prints."""
    rows = results.read(TABLE)
    names = list(dict.fromkeys(row["set"] for row in rows))
    figure, panels = plots.panels(len(names), len(PROBES), (13, 4 * len(names)))
    for place, name in enumerate(names):
        race = Race([row for row in rows if row["set"] == name])
        for axes, probe in zip(panels[place * len(PROBES) :], PROBES, strict=False):
            lines = race.draw(axes, probe)
            axes.set_title(f"{name}, {probe}")
        if not place:  # the same contestants for all
            figure.legend(lines, race.contestants, loc="outside right upper", frameon=False)
        print(f"| {name} | kNN | linear | minutes to {race.target('knn'):.3f} | ", end="")
        print(f"minutes to {race.target('linear'):.3f} |\n|---|---|---|---|---|")
        for contestant in race.contestants:
            print(f"| {' | '.join(race.cells(contestant))} |")
    plots.save(figure, results.path("learning_race.png"))


if __name__ == "__main__":
    app.run(main)
