"""Whole ``fit`` calls of a model, to be timed against its bare step.

Owns how ``fit`` takes turns; ``benchmarks.speed.training_step`` chooses the contestants.
"""

import functools
import pathlib
import tempfile
import threading
from collections.abc import Callable

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras

from benchmarks.harness import records, steps
from benchmarks.harness.steps import Setting
from harl_tf.pretraining import Pretraining


class OneEpochATurn(keras.callbacks.Callback):
    """Makes ``fit`` run an epoch on request, so that its startup and end are not measured."""

    def __init__(self) -> None:
        super().__init__()
        self._may, self._done = threading.Semaphore(0), threading.Semaphore(0)

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Waits."""
        self._may.acquire()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Signals the end of the epoch."""
        self._done.release()

    def run(self) -> None:
        """Runs one epoch."""
        self._may.release()
        self._done.acquire()


def epoch_of_fit(model: Pretraining, setting: Setting, count: int = 4) -> Callable[[], int]:
    """An epoch of a few steps in an endless ``fit`` with a CSV log."""
    turns = OneEpochATurn()
    log = keras.callbacks.CSVLogger(str(pathlib.Path(tempfile.mkdtemp(), "log.csv")))
    fit = functools.partial(
        model.fit,
        steps.same_batch(setting.batch, setting.image_size),
        callbacks=[turns, log],
        steps_per_epoch=count,
        epochs=10**6,
        verbose=0,
        shuffle=False,
    )
    threading.Thread(target=fit, daemon=True).start()

    def epoch() -> int:
        turns.run()
        return count * setting.batch

    return epoch


def fit_from_records(model: Pretraining, setting: Setting, count: int = 32) -> Callable[[], int]:
    """A whole ``fit`` on records, which decodes, crops and augments on the same CPUs.

    It is a whole ``fit``, so that no views are made during other contestants' turns, with many
    steps, so that its startup, which builds the stream and waits for the first batch, has little
    weight.
    """
    folder = records.make(pathlib.Path(tempfile.mkdtemp()))
    views = harl_tf.data.PairedViews(folder, setting.batch, setting.image_size)

    def fit() -> int:
        model.fit(views, steps_per_epoch=count, verbose=0)
        return count * setting.batch

    return fit
