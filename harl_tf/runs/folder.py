"""The folder of a run: the settings it started with, its log and its results.

Owns the layout on disk, except for the checkpoints (``harl_tf.callbacks.Checkpoint``)::

    RUN/
        run.json          the settings it started with, and the parts it has had
        recipe.txt        the recipe as text, with sources
        log.csv           a row per epoch
        epoch_000012/     the newest checkpoints
        .lock             while a process works on the run
        backbone/         the exported backbone
"""

import json
import os
import pathlib
from collections.abc import Collection
from typing import Any

from harl_tf import files
from harl_tf.callbacks import CHANGES, LOCK, EpochLog, Position, saved_in
from mask_generation.whole_file import UNFINISHED

CHANGEABLE = (*CHANGES, "labeled")
"""Settings that a run may change when it goes on: what is saved with weights, and its probes."""


class RunError(Exception):
    """A folder cannot be used for a run; the message says why and what to do."""


class RunFolder:
    """A run on disk.

    Args:
        path: The folder; it need not exist.

    Attributes:
        path: The folder.
        settings: File of the settings.
        recipe: File of the recipe in words.
        log: The log, an ``EpochLog``.
        backbone: Folder of the exported backbone.

    Example:
        >>> import tempfile
        >>> run = RunFolder(tempfile.mkdtemp())
        >>> run.begin({"epochs": 2}, "hapicl_small: ...")
        >>> run.log.append(1, {"loss": 2.5})
        >>> run.log.last()
        {'loss': 2.5}
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.settings = self.path / "run.json"
        self.recipe = self.path / "recipe.txt"
        self.log = EpochLog(self.path / "log.csv")
        self.backbone = self.path / "backbone"

    def begin(
        self,
        settings: dict[str, Any],
        recipe: str,
        notes: dict[str, Any] | None = None,
        change: Collection[str] = (),
    ) -> None:
        """Creates the folder of a new run, or checks that it belongs to the same run.

        A run without a saved epoch may start over with other settings; a finished one may go on
        with more epochs.

        Args:
            settings: What must be equal for a run to continue, fit for JSON.
            recipe: The recipe in words.
            notes: What is written with the settings, but may differ. Default: nothing.
            change: Names of the settings that are to be changed. Default: none.

        Raises:
            RunError: If the folder contains a run with other settings, or something that is not a
                run.
            OSError: If it cannot be written.

        Example:
            >>> import tempfile
            >>> run = RunFolder(tempfile.mkdtemp())
            >>> run.begin({"epochs": 2}, "")
            >>> (run.path / "epoch_000001").mkdir()
            >>> run.begin({"epochs": 3}, "")
            Traceback (most recent call last):
            harl_tf.runs.folder.RunError: ... begun with epochs 2, not 3; ...
        """
        finished = self.finished_parts()
        goes_on = bool(finished) and settings["epochs"] >= finished[-1]
        kept = {name: settings[name] for name in settings if name not in change}
        self.check({**kept, **({"epochs": self.begun()["epochs"]} if goes_on else {})})
        if self._has_saved_epoch() and not goes_on and not change:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        self._write({**settings, **(notes or {})})  # first: a folder with it is a run
        files.write_text(self.recipe, recipe)

    def check(self, settings: dict[str, Any]) -> None:
        """Checks that the folder can be that of a run with these settings; writes nothing.

        Args:
            settings: What must be equal for a run to continue, or a part of it.

        Raises:
            RunError: As ``begin`` does.
        """
        folder = self.path
        if folder.exists() and not folder.is_dir():
            raise RunError(f"{folder} is not a folder.")
        if self._has_saved_epoch():
            self._check_same(settings)
        elif self.settings.exists() and self._is_finished():
            raise RunError(
                f"{folder} holds a finished run without its saved epochs (epoch_*), so that it "
                "cannot go on, and is not overwritten; choose another folder for a new run."
            )
        elif self._foreign() and not self.settings.exists():
            raise RunError(f"{folder} is not empty and holds no run; choose another folder.")

    def finish(self) -> None:
        """Notes that the run has trained all its epochs and that its results are written."""
        self._write({**self.read_settings(), "finished": True})

    def finished_parts(self) -> list[int]:
        """The epochs after which each part of the run ended, if it can go on with more.

        That is the case of a run that has come to its end, and of one that has gone on but saved
        no epoch since, whose last part may begin otherwise.

        Returns:
            The ends of its parts, in epochs; empty if there is no run or it is not finished.
        """
        begun = self.begun()
        parts = list(begun.get("parts") or [begun.get("epochs")])
        newest = max((saved.position for saved in saved_in(self.path)), default=None)
        if begun.get("finished") and newest == Position(parts[-1]):
            return parts
        return parts[:-1] if parts[:-1] and newest == Position(parts[-2]) else []

    def begun(self) -> dict[str, Any]:
        """The settings of a run with a saved epoch; empty if there is none.

        Raises:
            RunError: If its settings file is damaged.
        """
        return self.read_settings() if self._has_saved_epoch() else {}

    def read_settings(self) -> dict[str, Any]:
        """The settings the run started with.

        Raises:
            RunError: If the folder contains no run, or its settings file is damaged.
        """
        try:
            settings = dict(json.loads(self.settings.read_text(encoding="utf-8")))
        except OSError as error:
            raise RunError(f"{self.path} holds no run: it has no {self.settings.name}.") from error
        except (ValueError, TypeError):
            raise RunError(f"{self.settings} is damaged; choose another folder.") from None
        if "labelled" in settings:  # as earlier versions spelled it
            settings["labeled"] = settings.pop("labelled")
        return settings

    def _write(self, settings: dict[str, Any]) -> None:
        files.write_text(self.settings, json.dumps(settings, indent=1) + "\n")

    def _has_saved_epoch(self) -> bool:
        return self.settings.exists() and bool(saved_in(self.path))

    def _is_finished(self) -> bool:
        return bool(self.read_settings().get("finished"))

    def _foreign(self) -> bool:
        """Whether the folder holds anything besides a lock and what a begin was killed in."""
        names = [path.name for path in self.path.iterdir()] if self.path.exists() else []
        unfinished = tuple(f"{path.name}{UNFINISHED}" for path in (self.settings, self.recipe))
        return any(not name.startswith((LOCK, *unfinished)) for name in names)

    def _check_same(self, settings: dict[str, Any]) -> None:
        before = self.read_settings()
        for name in settings:
            if before.get(name) != settings[name]:
                raise RunError(
                    f"{self.path} was begun with {name.replace('_', ' ')} {before.get(name)}, not "
                    f"{settings[name]}; use that value to resume it, or choose another folder."
                    f"{_how_to_change(name)}"
                )


def _how_to_change(name: str) -> str:
    return f" To change it, say --change {name}." if name in CHANGEABLE else ""
