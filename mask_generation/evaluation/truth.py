"""Finding the ground truth that masks are scored against: drawn masks, or boxes.

Owns the layouts of folders that can be scored, reading their tables and masks, and reporting what
is wrong with them. It computes no metrics (``mask_generation.evaluation.metrics``).
"""

import csv
import dataclasses
import hashlib
import pathlib
from collections.abc import Iterator
from functools import partial

from mask_generation.evaluation.metrics import Box
from mask_generation.inputs.file_names import find_file, printable
from mask_generation.inputs.folder import find_images
from mask_generation.inputs.mask_file import MaskPixels, decode_file, turned_to_fit
from mask_generation.inputs.mask_lookup import find_mask
from mask_generation.inputs.reading import UnusableImageError, read_file

_CORNERS = ("xmin", "ymin", "xmax", "ymax")

LAYOUTS = (
    "pairs.csv with the columns file and mask; or the folders images and masks, "
    "where masks/NAME.png is the mask of images/NAME.*; or boxes.csv or labels.csv with the "
    "columns file, xmin, ymin, xmax and ymax"
)
"""Layouts of a folder with ground truth, in words; the first one found is used."""


class EvaluationError(Exception):
    """Masks cannot be scored; the message says why in one line."""


@dataclasses.dataclass(frozen=True)
class Truth:
    """A photograph and its ground truth.

    Attributes:
        name: Path of the photograph relative to the folder, with forward slashes.
        path: Where it is.
        mask: Where its true mask is, or None.
        boxes: Its true boxes, one or more if there is no mask.
        size: Width and height stated in the table, or None.
    """

    name: str
    path: str
    mask: str | None = None
    boxes: tuple[Box, ...] = ()
    size: tuple[int, int] | None = None


def find_truth(folder: str | pathlib.Path) -> list[Truth]:
    """Lists the photographs of a folder that have ground truth, in the order of their names.

    Args:
        folder: A folder that contains ``pairs.csv`` (columns ``file`` and ``mask``, paths in the
            folder); or ``images`` and ``masks``; or ``boxes.csv`` or ``labels.csv`` with the
            columns ``file``, ``xmin``, ``ymin``, ``xmax``, ``ymax`` in pixels counted from 0,
            ``xmax`` and ``ymax`` inside the box, one row per box. The first of these that is found
            is used.

    Returns:
        At least one photograph.

    Raises:
        EvaluationError: If there is none of these, or a photograph or mask is missing.
        OSError: If a folder or table cannot be read.

    Example:
        >>> find_truth("no/such/folder")
        Traceback (most recent call last):
        mask_generation.evaluation.truth.EvaluationError: There is no folder no/such/folder.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise EvaluationError(f"There is no folder {folder}.")
    if _has_columns(folder / "pairs.csv", ("file", "mask")):
        found = list(_from_pairs(folder))
    elif (folder / "masks").is_dir():
        found = list(_from_folders(folder))
    else:
        for table in ("boxes.csv", "labels.csv"):
            if _has_columns(folder / table, ("file", *_CORNERS)):
                found = _from_boxes(folder, folder / table)
                break
        else:
            raise EvaluationError(
                f"{folder} holds no truth to score masks against. Expected {LAYOUTS}."
            )
    if not found:
        raise EvaluationError(
            f"{folder} holds no truth: its table has no row. Expected a row per photograph or box."
        )
    return sorted(found, key=lambda truth: truth.name)


def half_of(name: str) -> int:
    """Which half of a folder a photograph belongs to, by a hash of its name.

    The same name is always in the same half, whatever else is in the folder, so that settings can
    be chosen on one half and results reported on the other.

    Args:
        name: Path of the photograph relative to the folder.

    Returns:
        0 or 1.

    Example:
        >>> [half_of(f"images/{index}.jpg") for index in range(8)]
        [0, 1, 1, 1, 0, 0, 1, 0]
    """
    return hashlib.sha256(name.encode()).digest()[0] % 2


def read_mask(
    path: str | pathlib.Path, photograph: str | pathlib.Path, shape: tuple[int, ...]
) -> MaskPixels:
    """Reads a true mask; ``mask_generation.inputs.mask_file`` says what its values mean.

    Args:
        path: An image file.
        photograph: The file of its photograph, whose orientation it may share.
        shape: Height and width of the upright photograph.

    Returns:
        The mask, perhaps of another shape; its void pixels are not scored.

    Raises:
        EvaluationError: If the file cannot be read as a mask.
    """
    try:
        path = pathlib.Path(path)
        decode = partial(decode_file, path.name, read_file(path), ())
        return turned_to_fit(decode, shape.__eq__, lambda: read_file(pathlib.Path(photograph)))
    except UnusableImageError as error:
        raise EvaluationError(f"The mask {path} cannot be used: {error}.") from error


def _from_pairs(folder: pathlib.Path) -> Iterator[Truth]:
    seen = set()
    for line, row in _rows(folder / "pairs.csv"):
        if row["file"] in seen:
            raise EvaluationError(
                f"{line}: expected each file once. Received: {row['file']} again."
            )
        seen.add(row["file"])
        yield Truth(
            row["file"],
            _existing(folder, row["file"], line),
            _existing(folder, row["mask"], line),
        )


def _from_folders(folder: pathlib.Path) -> Iterator[Truth]:
    try:
        sources = find_images(folder / "images").sources
    except FileNotFoundError as error:
        raise EvaluationError(f"{folder} has masks, but no photographs: {error}") from error
    for source in sources:
        mask = find_mask(folder / "masks", source.name, source.path)
        if mask is None:
            expected = (folder / "masks" / source.name).with_suffix(".png")
            raise EvaluationError(
                f"The photograph images/{printable(source.name)} has no mask: there is no file "
                f"{printable(str(expected))}."
            )
        yield Truth(f"images/{source.name}", source.path, str(mask))


def _from_boxes(folder: pathlib.Path, table: pathlib.Path) -> list[Truth]:
    boxes: dict[str, list[Box]] = {}
    sizes: dict[str, tuple[int, int] | None] = {}
    paths: dict[str, str] = {}
    for line, row in _rows(table):
        name = row["file"]
        paths[name] = _existing(folder, name, line)
        try:
            left, top, right, bottom = (int(row[corner]) for corner in _CORNERS)
            size = (int(row["width"]), int(row["height"])) if "width" in row else None
        except (KeyError, TypeError, ValueError) as error:
            raise EvaluationError(
                f"{line}: expected whole numbers of pixels. Received: {list(row.values())}."
            ) from error
        if right < left or bottom < top:
            raise EvaluationError(
                f"{line}: expected xmin ≤ xmax and ymin ≤ ymax. "
                f"Received: {(left, top, right, bottom)}."
            )
        boxes.setdefault(name, []).append((left, top, right, bottom))
        sizes[name] = size
    return [Truth(name, paths[name], boxes=tuple(boxes[name]), size=sizes[name]) for name in boxes]


def _existing(folder: pathlib.Path, name: str | None, line: str) -> str:
    """The path of a file that a table names."""
    path = find_file(folder, [name]) if name else None
    if path is None:
        raise EvaluationError(f"{line}: there is no file {printable(str(folder / (name or '?')))}.")
    return str(path)


def _has_columns(table: pathlib.Path, columns: tuple[str, ...]) -> bool:
    if not table.is_file():
        return False
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        header = next(csv.reader(file), [])
    return set(columns) <= set(header)


def _rows(table: pathlib.Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a table, each with its location in words."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            for row in reader:
                yield f"{table}, line {reader.line_num}", row
    except (csv.Error, UnicodeDecodeError) as error:
        raise EvaluationError(
            f"Expected {table} to be a table in UTF-8. Received: {error}."
        ) from error
