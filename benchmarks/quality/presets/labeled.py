"""The photographs that the presets learn from, and those that they are measured on."""

import functools
import pathlib

from benchmarks.quality.learning import sets

SET, PART = "caltech101", 0
SCORED_SEQUENCES = ("0006R0", "Seq05VD")
"""Of CamVid, which is video: frames of one sequence would be on both sides of any other split."""


def labeled(archives: pathlib.Path, work: pathlib.Path) -> dict[str, pathlib.Path]:
    """Class folders of the photographs that were learned from, and of the others."""
    prepared = sets.prepare(SET, PART, archives, work)
    source, held_out = work / SET / "images", work / f"{SET}_part_{PART}"
    sets.link(source, held_out, lambda inner: sets.part_of(f"images/{inner}") == PART)
    train = prepared / "images" / SET
    return {"records": prepared / "records", "train": train, "test": held_out}


def camvid(folder: pathlib.Path, work: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """Folders of images and of labels of CamVid, unpacked to ``folder``, for each part."""
    found: dict[str, list[pathlib.Path]] = {"train": [], "test": []}
    for kind in ("images", "labels"):
        for part, scored in (("train", False), ("test", True)):
            place = work / "camvid11_parts" / part / kind
            sets.link(folder / kind, place, functools.partial(_is_frame, scored))
            found[part].append(place)
    return found


def _is_frame(scored: bool, inner: pathlib.Path) -> bool:
    return inner.name.startswith(SCORED_SEQUENCES) == scored
