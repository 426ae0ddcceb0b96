"""The photographs that the presets learn from, and those that they are measured on."""

import pathlib

from benchmarks.quality.learning import sets

SET, PART = "caltech101", 0


def labeled(archives: pathlib.Path, work: pathlib.Path) -> dict[str, pathlib.Path]:
    """Class folders of the photographs that were learned from, and of the others."""
    prepared = sets.prepare(SET, PART, archives, work)
    source, held_out = work / SET / "images", work / f"{SET}_part_{PART}"
    sets.link(source, held_out, lambda inner: sets.part_of(f"images/{inner}") == PART)
    train = prepared / "images" / SET
    return {"records": prepared / "records", "train": train, "test": held_out}
