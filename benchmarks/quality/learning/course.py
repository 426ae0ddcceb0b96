"""The clock of a race, and the marks at which it is stopped to see what has been learned.

Owns how a contestant of the race reports: the same for ours and for the peers, which is why it
needs only NumPy. At every mark the features of the scored photographs are written to a file; they
are scored later, all by the same code.
"""

import pathlib
import time
from collections.abc import Callable

import numpy as np

SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)
"""Marks, as shares of the run."""

PHOTOGRAPHS = "photographs.npz"
"""The photographs to embed: ``train`` and ``test``, uint8 ``(images, side, side, 3)``, and labels
``train_labels`` and ``test_labels``."""

_UNTIMED, _TIMED = 5, 20
"""Steps of the measurement that turns minutes into steps."""

Embed = Callable[[np.ndarray], np.ndarray]
"""From uint8 photographs to vectors."""


def steps_in(minutes: float, step: Callable[[], object]) -> int:
    """Number of steps that fit into a time; takes 25 steps to find out."""
    for _ in range(_UNTIMED):
        step()
    start = time.perf_counter()
    for _ in range(_TIMED):
        step()
    return int(minutes * 60 * _TIMED / (time.perf_counter() - start))


class Course:
    """A run from its start to its last step, with a clock that stands still at the marks.

    Args:
        folder: Folder with ``photographs.npz``.
        out: Folder for the features.
        steps: Length of the run.
    """

    def __init__(self, folder: pathlib.Path, out: pathlib.Path, steps: int) -> None:
        with np.load(folder / PHOTOGRAPHS) as arrays:
            self._train, self._test = arrays["train"], arrays["test"]
        self._out, self.steps = out, steps
        self._marks = {round(share * steps) for share in SHARES}
        self._seconds, self._started = 0.0, 0.0
        out.mkdir(parents=True, exist_ok=True)

    def start(self, embed: Embed) -> None:
        """Sees what the random start is worth, and starts the clock."""
        self._note(0, embed)
        self._started = time.perf_counter()

    def after(self, step: int, embed: Embed) -> None:
        """Notes that a step, counted from 1, has ended; sees what was learned if it is a mark."""
        if step not in self._marks:
            return
        self._seconds += time.perf_counter() - self._started
        self._note(step, embed)
        self._started = time.perf_counter()

    def _note(self, step: int, embed: Embed) -> None:
        np.savez(
            self._out / f"{step:07d}.npz",
            minutes=self._seconds / 60,
            steps=step,
            train=embed(self._train),
            test=embed(self._test),
        )
