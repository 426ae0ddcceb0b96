"""Kills conversions, or single worker processes of one, and compares the records.

    python -m tests.integration.killed_conversion PHOTOS FOLDER KILLS [SEED]

First a conversion with two workers is killed at random moments and started again, then, in a
conversion that nobody kills, single workers are. Prints how often, and how many files of the
records differ from those of a conversion that nobody disturbed. The temporary folder FOLDER must
not exist.
"""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parent.parent.parent
EARLY, EARLIEST = 0.2, 10.0
"""Share of kills while nothing has been finished, and seconds from the start to them, at most."""

LONGEST = 3.0
"""Seconds from the first shard that a process has finished to the other kills, at most."""


class Outcome(NamedTuple):
    """What came of a conversion that was disturbed.

    Attributes:
        kills: How often.
        within: Of the kills of whole conversions, those of processes that had finished shards.
        different: Names of the files that are not those of an undisturbed conversion.
    """

    kills: int
    within: int
    different: list[str]


def start(photographs: pathlib.Path, out: pathlib.Path, log: pathlib.Path) -> subprocess.Popen:
    """Starts a conversion in shards of few photographs."""
    line = [sys.executable, "-m", "mask_generation", "convert", str(photographs), str(out)]
    line += ["--workers", "2", "--per-shard", "8", "--flagged", "keep", "--also", "grid"]
    with log.open("a") as errors:
        return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def differing(first: pathlib.Path, second: pathlib.Path) -> list[str]:
    one, other = contents(first), contents(second)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def whole(photographs: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A conversion that nobody disturbs."""
    folder.mkdir(parents=True)
    assert start(photographs, folder / "whole", folder / "log").wait() == 0
    return folder / "whole"


def notes(folder: pathlib.Path) -> set[str]:
    """The finished shards of a conversion that is not at its end."""
    return {path.name for path in folder.glob("out.partial/journal/*.json")}


def killed(photographs: pathlib.Path, folder: pathlib.Path, kills: int, seed: int = 0) -> Outcome:
    """Kills the conversion itself until it has been killed often enough, and lets it finish.

    Most kills come when shards are being finished. If the conversion comes to its end before, it
    begins again.
    """
    expected, out, chance = whole(photographs, folder), folder / "out", random.Random(seed)
    done, within, different = 0, 0, set()
    while done < kills:
        before = notes(folder)
        process = start(photographs, out, folder / "log")
        if chance.random() < EARLY:
            time.sleep(chance.uniform(0, EARLIEST))
        else:
            while process.poll() is None and len(notes(folder)) == len(before):
                time.sleep(0.05)
            time.sleep(chance.uniform(0, LONGEST))
        process.send_signal(signal.SIGKILL)
        killed_it = process.wait() == -signal.SIGKILL
        done += killed_it
        within += killed_it and notes(folder) != before
        if not killed_it:
            different |= set(differing(expected, out))
            for path in out.iterdir():
                path.unlink()
            out.rmdir()
    assert start(photographs, out, folder / "log").wait() == 0
    return Outcome(done, within, sorted(different | set(differing(expected, out))))


def workers_killed(
    photographs: pathlib.Path, folder: pathlib.Path, kills: int, seed: int = 0
) -> Outcome:
    """Kills worker processes of conversions that go on, young ones too, until there were enough."""
    expected, chance = whole(photographs, folder), random.Random(seed)
    done, different, number = 0, set(), 0
    while done < kills:
        out = folder / f"out{number}"
        number += 1
        assert number <= 3 * kills, "The conversions end before a worker is killed."
        process = start(photographs, out, folder / "log")
        while process.poll() is None and done < kills:
            # A photograph with which three processes are killed would rightly be left out.
            time.sleep(chance.uniform(LONGEST, 2 * LONGEST))
            if found := workers_of(process.pid):
                os.kill(chance.choice(found), signal.SIGKILL)
                done += 1
        assert process.wait() == 0
        different |= set(differing(expected, out))
    return Outcome(done, 0, sorted(different))


def workers_of(parent: int) -> list[int]:
    """The processes that compute for another one."""
    columns = ["ps", "-o", "pid=,args=", "--ppid", str(parent)]
    lines = subprocess.run(columns, capture_output=True).stdout.decode().splitlines()
    return [int(line.split()[0]) for line in lines if "spawn_main" in line]


def main(photographs: str, folder: str, kills: str, seed: str = "0") -> None:
    photos, place = pathlib.Path(photographs), pathlib.Path(folder)
    for name, disturb in (("conversions", killed), ("workers", workers_killed)):
        outcome = disturb(photos, place / name, int(kills), int(seed))
        within = f", {outcome.within} after they had finished shards" if disturb is killed else ""
        print(
            f"{outcome.kills} {name} killed{within}; files that differ: {len(outcome.different)} "
            f"{outcome.different[:3] or ''}".rstrip(),
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
