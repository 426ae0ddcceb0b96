"""The pretrained backbones that have names.

Owns the table and what a row says; ``presets.json`` is the data. Where the files of a preset are is
up to ``harl_tf.zoo.places``.
"""

import dataclasses
import functools
import json
import pathlib
import textwrap
from collections.abc import Mapping

_DATA = pathlib.Path(__file__).with_name("presets.json")


@dataclasses.dataclass(frozen=True)
class Preset:
    """A pretrained backbone.

    Attributes:
        name: What ``load_backbone`` takes.
        recipe: The recipe it was trained with.
        data: What it was trained on.
        license: Terms of its weights.
        epochs: Passes over the data.
        image_size: Side of the views in pixels.
        parameters: Number of weights.
        metrics: Measured values by name, those of random initialization included.
        megabytes: Size of its folder.
        url: Archive to download; None if it is only in ``pretrained/`` of the repository.
        sha256: Checksum of the archive.
    """

    name: str
    recipe: str
    data: str
    license: str
    epochs: int
    image_size: int
    parameters: int
    metrics: Mapping[str, float]
    megabytes: float
    url: str | None = None
    sha256: str | None = None


class PresetTable(tuple[Preset, ...]):
    """Presets, printed as a table.

    Example:
        >>> print(PresetTable())
        No presets.
    """

    def __str__(self) -> str:
        """A row per preset, and below it what it was trained on and what was measured."""
        if not self:
            return "No presets."
        head = ("name", "recipe", "epochs", "pixels", "parameters", "MB")
        rows = [head, *map(_row, self)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        first, *others = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
        blocks = [f"{row}\n{_below(preset)}" for row, preset in zip(others, self, strict=True)]
        return "\n".join([first, *blocks])

    __repr__ = __str__


@functools.cache
def list_presets() -> PresetTable:
    """The pretrained backbones that ``harl_tf.load_backbone`` knows by name.

    Returns:
        A tuple of ``Preset``, which prints as a table.

    Example:
        >>> isinstance(list_presets(), tuple)
        True
    """
    rows = json.loads(_DATA.read_text(encoding="utf-8"))
    return PresetTable(Preset(**row) for row in rows)


def _row(preset: Preset) -> tuple[str, ...]:
    return (
        preset.name,
        preset.recipe,
        str(preset.epochs),
        str(preset.image_size),
        f"{preset.parameters:,}",
        f"{preset.megabytes:.1f}",
    )


def _below(preset: Preset) -> str:
    measured = ", ".join(f"{name} {value:.3g}" for name, value in preset.metrics.items())
    lines = [preset.data, f"{measured}. {preset.license}."]
    return textwrap.indent("\n".join(textwrap.fill(line, 96) for line in lines), "    ")
