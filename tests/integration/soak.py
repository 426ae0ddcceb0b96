"""Trains, or converts, for a long time in one process, and looks at what grows.

    python -m tests.integration.soak train RECORDS FOLDER HOURS
    python -m tests.integration.soak convert PHOTOS FOLDER HOURS

Prints, for the second half of the time, how resident memory, open files and the rate change in an
hour, with 95 % intervals; ``FOLDER/samples.csv`` has a line every ten seconds. The first half is
left out: allocators and caches fill up. Neighboring samples resemble each other, so each interval
is that of twenty means. Time for which the process was stopped (``kill -STOP``) does not count, so
that it can make way for other work.
"""

import csv
import os
import pathlib
import resource
import shutil
import sys
import threading
import time
from typing import NamedTuple

import numpy as np
import scipy.stats

EVERY = 10.0
"""Seconds between two samples."""

MEANS = 20


class Sample(NamedTuple):
    """The state of the process."""

    hours: float
    megabytes: float
    files: int
    done: int


class Watch(threading.Thread):
    """Samples the process while it works; whoever works counts what was done."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(daemon=True)
        self.done, self.samples = 0, list[Sample]()
        self.hours, self._path, self._ended = 0.0, path, threading.Event()

    def run(self) -> None:
        with self._path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(Sample._fields)
            before = time.monotonic()
            while not self._ended.wait(EVERY):
                now = time.monotonic()
                self.hours += min(now - before, 2 * EVERY) / 3600
                before = now
                pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
                megabytes = pages * resource.getpagesize() / 2**20
                files = len(os.listdir("/proc/self/fd"))
                self.samples.append(Sample(self.hours, megabytes, files, self.done))
                rows.writerow(self.samples[-1])
                file.flush()

    def end(self) -> None:
        self._ended.set()
        self.join()


def change(hours: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Slope by the hour and half its 95 % interval, of the means of twenty parts.

    Example:
        >>> hours = np.arange(40.0)
        >>> change(hours, 3 * hours + np.tile([1.0, -1.0], 20))
        (3.0, 0.0)
    """
    parts = [np.array_split(each, MEANS) for each in (hours, values)]
    x, y = ([part.mean() for part in each] for each in parts)
    fit = scipy.stats.linregress(x, y)
    half = scipy.stats.t.ppf(0.975, MEANS - 2) * fit.stderr
    return round(float(fit.slope), 9), round(float(half), 9)


def report(samples: list[Sample]) -> None:
    """Prints how the second half changed."""
    half = np.array(samples[len(samples) // 2 :], np.float64)
    hours, megabytes, files, done = half.T
    rate = np.diff(done) / np.diff(hours * 3600)
    for name, x, values in (
        ("resident memory, MB", hours, megabytes),
        ("open files", hours, files),
        ("done per second", hours[1:], rate),
    ):
        slope, interval = change(x, values)
        print(f"{name}: {values.mean():.1f}, changing by {slope:+.2f} ± {interval:.2f} in an hour")


def train(records: pathlib.Path, folder: pathlib.Path, watch: Watch, hours: float) -> None:
    """Epoch after epoch, with checkpoints, logs and a probe."""
    import keras

    import harl_tf
    from tests.networks import tiny_methods

    class Until(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            watch.done += 1
            self.model.stop_training = watch.hours > hours

    views = harl_tf.data.PairedViews(records, batch_size=16, image_size=32)
    model = tiny_methods()["hapicl_moco"]()
    model.compile(keras.optimizers.AdamW(1e-3))
    callbacks = [
        harl_tf.callbacks.RankProbe(views, every=5),
        harl_tf.callbacks.EpochLog(folder / "log.csv"),
        harl_tf.callbacks.Checkpoint(folder / "run", views, every=5),
        Until(),
    ]
    model.fit(views, epochs=10**6, callbacks=callbacks, verbose=0)


def convert(photographs: pathlib.Path, folder: pathlib.Path, watch: Watch, hours: float) -> None:
    """Conversion after conversion of the same photographs."""
    import mask_generation

    while watch.hours < hours:
        made = mask_generation.convert(photographs, folder / "records", workers=1, progress=False)
        watch.done += made.records
        shutil.rmtree(folder / "records")


def main(work: str, source: str, folder: str, hours: str) -> None:
    place = pathlib.Path(folder)
    place.mkdir(parents=True)
    watch = Watch(place / "samples.csv")
    watch.start()
    {"train": train, "convert": convert}[work](pathlib.Path(source), place, watch, float(hours))
    watch.end()
    report(watch.samples)


if __name__ == "__main__":
    main(*sys.argv[1:])
