"""Plots of the tables: their common style, and bars for contestants.

matplotlib is imported on use, so that contestants, whose memory is measured, do not load it.
"""

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness.results import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def panels(rows: int, columns: int, size: tuple[float, float]) -> "tuple[Figure, list[Axes]]":
    """An empty figure with several panels.

    Args:
        rows: Rows of panels.
        columns: Columns of panels.
        size: Width and height in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def save(figure: "Figure", path: pathlib.Path) -> None:
    """Writes a figure; lines with labels get a legend."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


def bars(rows: Sequence[Row], path: pathlib.Path, title: str, unit: str) -> None:
    """One bar per row of ``summary``: medians, with quartiles as whiskers."""
    names = [row["contestant"] for row in rows][::-1]
    middle = np.array([float(row["per_second"]) for row in rows])[::-1]
    quartiles = np.array([[float(x) for x in row["quartiles"].split()] for row in rows])[::-1]
    figure, (axes,) = panels(1, 1, (8, 0.8 + 0.36 * len(rows)))
    colors = ["#2b6cb0" if name.startswith("harl_tf") else "#a0aec0" for name in names]
    axes.barh(names, middle, color=colors, xerr=np.abs(quartiles.T - middle), capsize=2)
    for place, value in enumerate(middle):
        digits = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
        axes.text(quartiles[place, 1], place, f"  {digits}", va="center", fontsize=8)
    axes.set(xlabel=unit)
    figure.suptitle(title, fontsize=10)
    save(figure, path)
