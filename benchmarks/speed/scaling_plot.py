"""Plots the tables of ``benchmarks.speed.scaling``.

    python -m benchmarks.speed.scaling_plot [--results=benchmarks/results]

One figure, ``scaling.png``: the step against batch size, view size and cells of the map, and the
pixel loss alone against the number of cells, with all cells and with some drawn.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from absl import app

from benchmarks.harness import arguments, plots, results
from benchmarks.harness.results import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

arguments.define("results")

PARTS = ("batch", "image", "map", "loss", "replicas")
LARGEST = "128"
"""The batch size whose loss is plotted."""


def lines(
    axes: "Axes", rows: Sequence[Row], x: Callable[[Row], float], y: str, by: str = "method"
) -> None:
    """Plots one line for each value of a column."""
    for value in dict.fromkeys(row[by] for row in rows):
        own = [row for row in rows if row[by] == value]
        axes.plot([x(row) for row in own], [float(row[y]) for row in own], "o-", label=value)


def column(name: str) -> Callable[[Row], float]:
    """Reads a number."""
    return lambda row: float(row[name])


def cells(row: Row) -> float:
    """Number of cells of the map."""
    return float(row["map"]) ** 2


def main(_: list[str]) -> None:
    """Draws."""
    figure, (batch, image, step, time, memory, replicas) = plots.panels(2, 3, (13, 7))
    rows = {part: results.read(f"scaling_{part}.csv") for part in PARTS}
    lines(batch, rows["batch"], column("batch"), "per_second")
    batch.set(title="BYOL, 96 pixels", xlabel="batch", ylabel="pairs per second")
    lines(image, rows["image"], column("image_size"), "per_second")
    image.set(
        title="BYOL, batch of 16", xlabel="side of views (pixels)", yscale="log", xscale="log"
    )
    lines(step, rows["map"], cells, "milliseconds")
    step.set(title="step at 224 pixels, batch of 8", xlabel="cells of the map", ylabel="ms")
    largest = [row for row in rows["loss"] if row["batch"] == LARGEST]
    lines(time, largest, cells, "milliseconds", by="loss")
    time.set(title=f"pixel loss alone, batch of {LARGEST}", xlabel="cells of the map", ylabel="ms")
    lines(memory, largest, cells, "megabytes", by="loss")
    memory.set(title="its memory", xlabel="cells of the map", ylabel="MB", yscale="symlog")
    lines(replicas, rows["replicas"], column("replicas"), "per_second")
    replicas.set(title="replicas on the same two cores", xlabel="replicas", ylim=(0, None))
    plots.save(figure, results.path("scaling.png"))


if __name__ == "__main__":
    app.run(main)
