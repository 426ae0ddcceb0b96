"""Draws the tables of ``benchmarks.speed.scaling``.

    python -m benchmarks.speed.scaling_plot [--results=benchmarks/results]

One picture, ``scaling.png``: the step against batch, views and cells of the map, and the pixel loss
alone against the number of cells, with all of them and with some drawn.
"""

import pathlib
from collections.abc import Callable
from typing import Any

import matplotlib

matplotlib.use("Agg")
from absl import app, flags
from matplotlib import pyplot

from benchmarks.harness import side_by_side

FLAGS = flags.FLAGS
flags.DEFINE_string("results", "benchmarks/results", "Folder of the tables.")

Row = dict[str, str]
LARGEST = "128"
"""The batch whose loss is drawn."""


def rows_of(part: str) -> list[Row]:
    """The rows of a part."""
    return side_by_side.read(pathlib.Path(FLAGS.results, f"scaling_{part}.csv"))


def lines(axes: Any, rows: list[Row], x: Callable[[Row], float], y: str, by: str) -> None:
    """A line for each value of a column."""
    for value in dict.fromkeys(row[by] for row in rows):
        own = [row for row in rows if row[by] == value]
        axes.plot([x(row) for row in own], [float(row[y]) for row in own], "o-", label=value)


def cells(row: Row) -> float:
    """Number of cells of the map."""
    return float(row["map"]) ** 2


def main(_: list[str]) -> None:
    """Draws."""
    figure, ((batch, image, step), (time, memory, replicas)) = pyplot.subplots(
        2, 3, figsize=(13, 7)
    )
    lines(batch, rows_of("batch"), lambda row: float(row["batch"]), "per_second", "method")
    batch.set(title="BYOL, 96 pixels", xlabel="batch", ylabel="pairs per second")
    lines(image, rows_of("image"), lambda row: float(row["image_size"]), "per_second", "method")
    image.set(
        title="BYOL, batch of 16", xlabel="side of views (pixels)", yscale="log", xscale="log"
    )
    lines(step, rows_of("map"), cells, "milliseconds", "method")
    step.set(title="step at 224 pixels, batch of 8", xlabel="cells of the map", ylabel="ms")
    losses = [row for row in rows_of("loss") if row["batch"] == LARGEST]
    lines(time, losses, cells, "milliseconds", "loss")
    time.set(title=f"pixel loss alone, batch of {LARGEST}", xlabel="cells of the map", ylabel="ms")
    lines(memory, losses, cells, "megabytes", "loss")
    memory.set(title="its memory", xlabel="cells of the map", ylabel="MB", yscale="symlog")
    lines(replicas, rows_of("replicas"), lambda row: float(row["replicas"]), "per_second", "method")
    replicas.set(title="replicas on the same two cores", xlabel="replicas", ylim=(0, None))
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(pathlib.Path(FLAGS.results, "scaling.png"), dpi=110)


if __name__ == "__main__":
    app.run(main)
