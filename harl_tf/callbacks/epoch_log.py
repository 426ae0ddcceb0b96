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
    resumed: the first epoch that ends replaces the rows of its own number and later ones. Until
    then they stay, so that nothing is lost if ``fit`` refuses to begin.

    Args:
        path: CSV file; its first row is the header.

    Example:
        >>> import tempfile
        >>> log = EpochLog(pathlib.Path(tempfile.mkdtemp()) / "log.csv")
        >>> log.append(1, {"loss": 2.5})
        >>> log.append(2, {"loss": 1.25})
        >>> log.path.read_text()
        'epoch,loss\n1,2.5\n2,1.25\n'
        >>> log.append(2, {"loss": 1.5})
        >>> log.last()
        {'loss': 1.5}
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Refuses a damaged file before an epoch is spent."""
        self.rows(0)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the epoch's row."""
        self.append(epoch + 1, logs or {})

    def append(self, epoch: int, metrics: Mapping[str, Any]) -> None:
        """Adds a row in the place of those from its epoch on; earlier ones have no new columns.

        Args:
            epoch: Number of epochs done.
            metrics: What was measured.
        """
        before = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        reader = csv.DictReader(before.splitlines())
        kept = [row for row in reader if self._epoch(row.get("epoch"), row) < epoch]
        columns = (reader.fieldnames or []) if kept else []
        header = list(dict.fromkeys(["epoch", *columns, *metrics]))
        values = {name: f"{float(value):.6g}" for name, value in metrics.items()}
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, {"epoch": epoch, **values}])
        # Written as a whole, or a process killed now might leave half a row.
        files.write_text(self.path, text.getvalue())

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
