"""The pretrained backbones that have names.

Owns the table and what a row says; ``presets.json`` is the data. Where the files of a preset are is
up to ``harl_tf.zoo.places``.
"""

import dataclasses
import functools
import json
import pathlib
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
        """One row per preset."""
        if not self:
            return "No presets."
        head = ("name", "recipe", "epochs", "pixels", "parameters", "MB", "data", "measured")
        rows = [head, *map(_row, self)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        )
        return "\n".join(line.rstrip() for line in lines)

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
    measured = ", ".join(f"{name} {value:.3g}" for name, value in preset.metrics.items())
    return (
        preset.name,
        preset.recipe,
        str(preset.epochs),
        str(preset.image_size),
        f"{preset.parameters:,}",
        f"{preset.megabytes:.1f}",
        preset.data,
        measured,
    )
