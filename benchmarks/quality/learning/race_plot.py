"""Draws the race: accuracy against minutes, and how long lightly's final accuracy takes.

    python -m benchmarks.quality.learning.race_plot

Reads ``learning_race.csv`` and writes ``learning_race.png``; prints, for each data set and probe,
the highest final accuracy of lightly, a mean over seeds, and the minutes after which each of our
contestants reaches it.
"""

from collections.abc import Sequence

import numpy as np
from absl import app

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


def main(_: list[str]) -> None:
    """Draws and prints."""
    rows = results.read(TABLE)
    names = list(dict.fromkeys(row["set"] for row in rows))
    figure, panels = plots.panels(len(names), len(PROBES), (11, 4 * len(names)))
    for place, axes in enumerate(panels):
        name, probe = names[place // len(PROBES)], PROBES[place % len(PROBES)]
        chosen = [row for row in rows if row["set"] == name]
        final: dict[str, float] = {}
        curves = {}
        for contestant in dict.fromkeys(row["contestant"] for row in chosen):
            minutes, accuracy = curve(
                [row for row in chosen if row["contestant"] == contestant], probe
            )
            curves[contestant] = minutes, accuracy.mean(axis=0)
            final[contestant] = accuracy[:, -1].mean()
            style = "-" if contestant.startswith("harl_tf") else "--"
            (line,) = axes.plot(minutes, accuracy.mean(axis=0), style, label=contestant)
            axes.fill_between(
                minutes,
                accuracy.min(axis=0),
                accuracy.max(axis=0),
                color=line.get_color(),
                alpha=0.1,
            )
        axes.set(title=f"{name}, {probe}", xlabel="minutes", ylabel="accuracy")
        peers = [value for key, value in final.items() if key.startswith("lightly")]
        for contestant, (minutes, accuracy) in curves.items():
            when = minutes_to(max(peers, default=1.0), minutes, accuracy)
            print(
                f"{name}\t{probe}\t{contestant}\tfinal {final[contestant]:.3f}\t"
                f"lightly's best, {max(peers, default=1.0):.3f}, after {when:.2f} minutes"
            )
    plots.save(figure, results.path("learning_race.png"))


if __name__ == "__main__":
    app.run(main)
