"""The tables: CSV files in the folder given by ``--results``."""

import csv
import pathlib
from collections.abc import Iterable, Mapping, Sequence

from absl import flags

FLAGS = flags.FLAGS

Row = dict[str, str]


def path(name: str) -> pathlib.Path:
    """Path of a table or plot."""
    folder = pathlib.Path(FLAGS.results)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def read(name: str) -> list[Row]:
    """The rows of a table; empty if there is no such table."""
    if not path(name).exists():
        return []
    with path(name).open(newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Writes and prints a table row by row, as soon as each row is available.

    Args:
        name: File name. An older table stays until the first row is available.
        rows: The rows, all with the same columns.
    """
    done: list[Mapping[str, object]] = []
    for row in rows:
        done.append(row)
        _put(name, done)
        print(*row.values(), sep="\t", flush=True)


def append(name: str, row: Mapping[str, object]) -> None:
    """Adds a row to a table, creating it if necessary, and prints it."""
    _put(name, [*read(name), row])
    print(*row.values(), sep="\t", flush=True)


def _put(name: str, rows: Sequence[Mapping[str, object]]) -> None:
    with path(name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
