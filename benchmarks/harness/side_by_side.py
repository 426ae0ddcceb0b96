"""Ours and the peers in turn, each in a process and an environment of its own.

Owns the turns and the rule for disturbed rounds. In a round every contestant measures once, in an
order drawn anew, while the others wait for their line of input. A round counts only if nothing else
used the machine: in each turn, what all processors were busy with beyond the contestant's own
processor time may be 5 % of what they could have done. Ratios are ``benchmarks.harness.summary``'s.
"""

import json
import os
import random
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.harness.contestant import PIPE
from benchmarks.harness.machine import ALLOWED_DISTURBANCE, busy_seconds, wait_until_idle


class Contestant(NamedTuple):
    """Who takes part.

    Attributes:
        name: Its name in the table.
        command: Starts its process.
        environment: Environment variables it has besides.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = {}


class Turn(NamedTuple):
    """What a contestant measured in a round.

    Attributes:
        items: How many it dealt with.
        seconds: In which time.
        cpu_seconds: Processor time it used.
        busy_seconds: Processor time that all processes used meanwhile.
        peak_megabytes: The most memory it has had so far.
    """

    items: int
    seconds: float
    cpu_seconds: float
    busy_seconds: float
    peak_megabytes: int

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds


class ContestantError(RuntimeError):
    """A contestant ended before it was told to."""


class _Process:
    def __init__(self, contestant: Contestant) -> None:
        self.name = contestant.name
        # A file, since nobody empties a pipe while waiting for the next line.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        ours, its = os.pipe()
        self._process = subprocess.Popen(
            contestant.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            text=True,
            pass_fds=[its],
            env={**os.environ, **contestant.environment, PIPE: str(its)},
        )
        os.close(its)  # or its end would not be noticed
        self._answers = os.fdopen(ours)
        self.facts = self._hear()

    def turn(self) -> Turn:
        """One round."""
        self._say("drain")
        self._hear()
        before = busy_seconds()
        self._say("go")
        heard = self._hear()
        return Turn(busy_seconds=busy_seconds() - before, **heard)

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()
        self._answers.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            last = " | ".join(self._errors.read().strip().splitlines()[-3:])
            raise ContestantError(f"{self.name} ended before it was told to: {last}")
        return dict(json.loads(line))


class Result(NamedTuple):
    """What came of it.

    Attributes:
        turns: The turns of the rounds that count, by contestant.
        facts: What each contestant says of itself.
        discarded: Number of disturbed rounds.
    """

    turns: dict[str, list[Turn]]
    facts: dict[str, dict[str, Any]]
    discarded: int


def run(contestants: Sequence[Contestant], rounds: int, pause: float = 0.5) -> Result:
    """Measures.

    Args:
        contestants: Who takes part; who cannot start is named on the terminal and left out.
        rounds: Rounds that are to count; at most twice as many besides are discarded.
        pause: Seconds for which nothing must happen between turns. Default: 0.5.
    """
    processes = []
    for contestant in contestants:
        try:
            processes.append(_Process(contestant))
            print(f"{contestant.name}: ready", flush=True)
        except ContestantError as error:
            print(error, flush=True)
    turns: dict[str, list[Turn]] = {process.name: [] for process in processes}
    order, processors, discarded = random.Random(0), os.cpu_count() or 1, 0
    try:
        while processes and len(turns[processes[0].name]) < rounds and discarded <= 2 * rounds:
            measured = {}
            for process in order.sample(processes, len(processes)):
                wait_until_idle(pause)
                measured[process.name] = process.turn()
            if any(disturbed(turn, processors) for turn in measured.values()):
                discarded += 1
                continue
            for name, turn in measured.items():
                turns[name].append(turn)
            print({name: round(turn.rate, 2) for name, turn in measured.items()}, flush=True)
    finally:
        for process in processes:
            process.stop()
    counted = min(map(len, turns.values()), default=0)
    if counted < rounds:
        print(f"Expected {rounds} undisturbed rounds. Received: {counted}.", flush=True)
    return Result(turns, {process.name: process.facts for process in processes}, discarded)


def disturbed(turn: Turn, processors: int) -> bool:
    """Whether something else used the machine during a turn."""
    others = turn.busy_seconds - turn.cpu_seconds
    return others > ALLOWED_DISTURBANCE * turn.seconds * processors
