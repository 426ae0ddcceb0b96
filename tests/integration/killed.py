"""Kills a training run at random moments and starts it again, until it has come to its end.

    python -m tests.integration.killed RECORDS FOLDER KILLS [REPLICAS [WORKERS [SEED]]]

The run saves after every step, so that many of the moments are within a save. Prints how often it
was killed, how many of the kills left a half-written checkpoint, and the largest difference
between its final weights, or the rows of its log, and those of a run that nobody killed.
"""

import pathlib
import random
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np

from tests.integration.cluster import environments

ROOT = pathlib.Path(__file__).parent.parent.parent
LONGEST = 1.5
"""Seconds from the end of the first save to a kill, at most."""

PATIENCE = 180
"""Seconds in which the other workers must have ended once one was killed."""


class Outcome(NamedTuple):
    """What came of a run that was killed; the seconds are the longest until all workers ended."""

    kills: int
    within_saves: int
    seconds: float
    weights: float
    rows: bool


class Processes:
    """The processes of a run: one, or several workers."""

    def __init__(self, arguments: list[str], workers: int, log: pathlib.Path) -> None:
        command = [sys.executable, "-m", "tests.integration.train_to_be_killed", *arguments]
        self._errors = log.open("a")
        self.each = [
            subprocess.Popen(
                command,
                env=environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
            for environment in environments(workers)
        ]

    def wait_for_training(self) -> bool:
        """Waits until training begins; False if there was nothing left to do."""
        return any([process.stdout.readline() for process in self.each])

    def end(self, patience: float | None = None) -> list[int]:
        """Waits for all to end; returns their codes. It is an error if one needs longer."""
        codes = []
        for process in self.each:
            codes.append(process.wait(patience))
            process.stdout.close()
        self._errors.close()
        return codes


def killed(
    records: pathlib.Path,
    folder: pathlib.Path,
    kills: int,
    replicas: int = 1,
    workers: int = 1,
    seed: int = 0,
) -> Outcome:
    """Runs twice as many epochs as kills, once undisturbed and once killed."""
    epochs, chance = str(4 + 2 * kills), random.Random(seed)
    whole, run = folder / "whole", folder / "run"
    folder.mkdir(parents=True, exist_ok=True)
    undisturbed = Processes(
        [str(records), str(whole), epochs, str(replicas)], workers, folder / "w"
    )
    codes = undisturbed.end()
    assert codes == [0] * workers, (folder / "w").read_text()[-3000:]
    done, within, seconds = 0, 0, 0.0
    while not (run / "weights.npz").exists():
        processes = Processes(
            [str(records), str(run), epochs, str(replicas)], workers, folder / "r"
        )
        if processes.wait_for_training() and done < kills:
            time.sleep(chance.uniform(0, LONGEST))
            processes.each[chance.randrange(workers)].send_signal(signal.SIGKILL)
            within += any(run.glob("*.partial"))
            start = time.monotonic()
            codes = processes.end(PATIENCE)
            seconds = max(seconds, time.monotonic() - start)
            done += -signal.SIGKILL in codes
        else:
            codes = processes.end()
            assert codes == [0] * workers, (folder / "r").read_text()[-3000:]
    expected, found = np.load(whole / "weights.npz"), np.load(run / "weights.npz")
    difference = max(
        float(np.abs(found[name].astype(float) - expected[name].astype(float)).max(initial=0.0))
        for name in expected.files
    )
    rows = (whole / "log.csv").read_text() == (run / "log.csv").read_text()
    return Outcome(done, within, seconds, difference, rows)


def main(records: str, folder: str, kills: str, *numbers: str) -> None:
    outcome = killed(pathlib.Path(records), pathlib.Path(folder), int(kills), *map(int, numbers))
    log = "the same" if outcome.rows else "another"
    print(
        f"{outcome.kills} kills, {outcome.within_saves} within a save, all processes ended within "
        f"{outcome.seconds:.1f} s; largest difference of the weights "
        f"{outcome.weights}; the log is {log}."
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
