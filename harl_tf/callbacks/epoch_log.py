"""A table of a run: one row of metrics per epoch."""

import csv
import io
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from harl_tf import files


class EpochLog(keras.callbacks.Callback):
    r"""Writes the metrics of every epoch to a CSV file that survives interruptions.

    Unlike ``keras.callbacks.CSVLogger``, it neither duplicates nor loses rows when a run is
    resumed: ``fit(initial_epoch=n)`` first removes the rows after epoch ``n``, which will be
    written again.

    Args:
        path: CSV file; its first row is the header.

    Example:
        >>> import tempfile
        >>> log = EpochLog(pathlib.Path(tempfile.mkdtemp()) / "log.csv")
        >>> log.append(1, {"loss": 2.5})
        >>> log.append(2, {"loss": 1.25})
        >>> log.path.read_text()
        'epoch,loss\n1,2.5\n2,1.25\n'
        >>> log.cut(1)
        >>> log.last()
        {'loss': 2.5}
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = pathlib.Path(path)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Removes the rows that will be written again."""
        self.cut(epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the epoch's row."""
        self.append(epoch + 1, logs or {})

    def append(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Adds a row; columns that there were not before are empty in earlier rows.

        Args:
            epoch: Number of epochs done.
            metrics: What was measured.
        """
        before = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        reader = csv.DictReader(before.splitlines())
        header = list(dict.fromkeys(["epoch", *(reader.fieldnames or []), *metrics]))
        values = {name: f"{float(value):.6g}" for name, value in metrics.items()}
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*reader, {"epoch": epoch, **values}])
        # Written as a whole, or a process killed now might leave half a row.
        files.write_text(self.path, text.getvalue())

    def cut(self, epochs: int) -> None:
        """Removes the rows after a number of epochs.

        Args:
            epochs: Number of epochs to keep.
        """
        if not self.path.exists():
            return
        header, *rows = self.path.read_text(encoding="utf-8").splitlines() or [""]
        kept = [row for row in rows if self._epoch(row.partition(",")[0], row) <= epochs]
        if len(kept) == len(rows):
            return
        if not kept:
            self.path.unlink()
            return
        files.write_text(self.path, "\n".join([header, *kept]) + "\n")

    def last(self) -> dict[str, float]:
        """The metrics of the last row; empty if there is none."""
        return [{}, *self.rows()][-1]

    def rows(self, epochs: int | None = None) -> list[dict[str, float]]:
        """The metrics of every row, without the epoch's number.

        Args:
            epochs: Number of epochs to read up to. Default: all.
        """
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            {name: float(text) for name, text in row.items() if text and name != "epoch"}
            for row in rows
            if epochs is None or self._epoch(row.get("epoch"), row) <= epochs
        ]

    def _epoch(self, text: str | None, row: object) -> int:
        try:
            return int(text or "")
        except ValueError:
            raise ValueError(
                f"Expected every line of {self.path} to begin with the number of its epoch. "
                f"Received: {row!r:.200}. Mend the file, or move it away."
            ) from None
