"""The networks that an evaluation measures, and the table of what it found."""

import argparse
import contextlib
import csv
import io
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import keras

from harl_tf import files
from harl_tf.commands.opening import opened
from harl_tf.commands.photographs import check_file
from harl_tf.evaluation import Measured
from harl_tf.zoo import Start


def start_of(arguments: argparse.Namespace) -> Start:
    """The backbone to measure, opened once it is clear that the table can be written.

    Args:
        arguments: Those of the command line: ``csv``, ``backbone`` and ``from_values``.

    Raises:
        CommandError: If one of the two cannot be.
    """
    if arguments.csv is not None:
        check_file(arguments.csv)
    return opened(arguments.backbone, arguments.from_values)


def networks(
    arguments: argparse.Namespace, backbone: keras.Model
) -> Iterator[tuple[str, keras.Model]]:
    """The backbone by its name, and if asked for the same network at random initialization.

    Args:
        arguments: Those of the command line: ``backbone``, ``random`` and ``seed``.
        backbone: The backbone.
    """
    yield arguments.backbone, backbone
    if arguments.random:
        keras.utils.set_random_seed(arguments.seed)
        yield "random initialization", as_new(backbone)


def as_new(backbone: keras.Model) -> keras.Model:
    """The same network with new weights, seeing the same values.

    Example:
        >>> backbone = harl_tf.backbones.small_resnet(10, width=8)
        >>> bool(np.array_equal(backbone.weights[0], as_new(backbone).weights[0]))
        False
    """
    copy = keras.models.clone_model(backbone)
    for new, old in zip(copy._flatten_layers(), backbone._flatten_layers(), strict=True):
        if isinstance(old, keras.layers.Normalization):
            new.set_weights(old.get_weights())
    return copy


def row(what: str, measured: Measured, settings: dict[str, Any]) -> dict[str, Any]:
    """A line of the table.

    Args:
        what: The network.
        measured: What was found.
        settings: Whatever else it depends on.

    Example:
        >>> row("mine", Measured("knn", 0.5, 10), {"seed": 0})["value"]
        0.5
    """
    return {
        "backbone": what,
        "evaluation": measured.name,
        "value": round(measured.value, 5),
        "standard_error": None if measured.error is None else round(measured.error, 5),
        "images": measured.images,
        "labels": measured.labels,
        "chance": None if measured.chance is None else round(measured.chance, 5),
        **settings,
        **{name: version(name) for name in ("harl_tf", "keras", "tensorflow")},
    }


@contextlib.contextmanager
def table(path: str | None) -> Iterator[list[dict[str, Any]]]:
    """Gives a list for the lines of a table, which is written in the end if it has a name.

    What was measured before an error or an interruption is written, too.

    Args:
        path: The file; None for none.

    Example:
        >>> with table(None) as rows:
        ...     rows.append({"value": 0.5})
    """
    rows: list[dict[str, Any]] = []
    try:
        yield rows
    finally:
        if path is not None and rows:
            _write(path, rows)


def _write(path: str, rows: Sequence[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())
    print(f"{path}: {len(rows)} rows")
