"""The folder of a run: what it was begun with, its log, and where its results lie.

Owns the form on disk besides the checkpoints (``harl_tf.callbacks.Checkpoint``)::

    RUN/
        run.json          the settings it was begun with
        recipe.txt        the recipe in words, with sources
        log.csv           a row per epoch
        epoch_000012/     the newest checkpoints
        backbone/         what the run was made for
"""

import csv
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from harl_tf.commands.refusal import CommandError

SETTINGS, RECIPE, LOG, BACKBONE = "run.json", "recipe.txt", "log.csv", "backbone"


def begin(folder: pathlib.Path, settings: dict[str, Any], recipe: str) -> None:
    """Makes a new run's folder, or checks that it is that of the same run.

    A run without a saved epoch may begin anew with other settings.

    Args:
        folder: The folder.
        settings: What must be equal for a run to continue, fit for JSON.
        recipe: The recipe in words.

    Raises:
        CommandError: If the folder holds a run with other settings, or something else than a run.
        OSError: If it cannot be written.

    Example:
        >>> import tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> begin(folder, {"epochs": 2}, "")
        >>> (folder / "epoch_000001").mkdir()
        >>> begin(folder, {"epochs": 3}, "")
        Traceback (most recent call last):
        harl_tf.commands.refusal.CommandError: ... begun with epochs 2, not 3; ...
    """
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.")
    noted = folder / SETTINGS
    if noted.exists() and any(folder.glob("epoch_??????")):
        before = _read(noted)
        for name in settings:
            if before.get(name) != settings[name]:
                raise CommandError(
                    f"{folder} was begun with {name.replace('_', ' ')} {before.get(name)}, not "
                    f"{settings[name]}; give that to continue it, or another folder."
                )
        return
    if folder.exists() and any(folder.iterdir()) and not noted.exists():
        raise CommandError(f"{folder} is not empty and holds no run; choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECIPE).write_text(recipe, encoding="utf-8")
    _replace(noted, json.dumps(settings, indent=1) + "\n")


def log_epoch(folder: pathlib.Path, epoch: int, figures: Mapping[str, float]) -> None:
    r"""Adds a row to the log, under the header that its first row made.

    Args:
        folder: The run's folder.
        epoch: Number of epochs done.
        figures: What was measured.

    Example:
        >>> import tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> log_epoch(folder, 1, {"loss": 2.5})
        >>> log_epoch(folder, 2, {"loss": 1.25})
        >>> (folder / LOG).read_text()
        'epoch,loss\n1,2.5\n2,1.25\n'
    """
    log = folder / LOG
    header = ["epoch", *figures]
    if log.exists():
        with log.open(newline="", encoding="utf-8") as file:
            header = next(csv.reader(file), header)
    row = {"epoch": epoch, **{name: f"{float(value):.6g}" for name, value in figures.items()}}
    with log.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)


def cut_log(folder: pathlib.Path, epochs: int) -> None:
    r"""Takes rows out of the log that lie after the last saved epoch; they will come again.

    Args:
        folder: The run's folder.
        epochs: Number of epochs that are saved.

    Example:
        >>> import tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / LOG).write_text("epoch,loss\n1,3.0\n2,2.0\n")
        >>> cut_log(folder, epochs=1)
        >>> (folder / LOG).read_text()
        'epoch,loss\n1,3.0\n'
    """
    log = folder / LOG
    if not log.exists():
        return
    header, *rows = log.read_text(encoding="utf-8").splitlines() or [""]
    kept = [row for row in rows if int(row.partition(",")[0]) <= epochs]
    if kept:
        _replace(log, "\n".join([header, *kept]) + "\n")
    else:
        log.unlink()


def last_figures(folder: pathlib.Path) -> dict[str, float]:
    """The figures of the last epoch in the log.

    Example:
        >>> import tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> log_epoch(folder, 1, {"loss": 2.5})
        >>> last_figures(folder)
        {'loss': 2.5}
    """
    log = folder / LOG
    if not log.exists():
        return {}
    with log.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    del rows[-1]["epoch"]
    return {name: float(text) for name, text in rows[-1].items() if text}


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise CommandError(f"{path} is damaged; choose another folder.") from None


def _replace(path: pathlib.Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
