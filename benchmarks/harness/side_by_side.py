"""Measures our code and the peers in turns, each in its own process and environment.

Owns the turns and the rule for disturbed rounds. In a round every contestant measures once, in a
newly drawn order, while the others wait for input. A round only counts if nothing else used the
machine: in each turn, CPU time beyond the contestant's own may be at most 5 % of the available CPU
time. Ratios are computed by ``benchmarks.harness.summary``.
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
    """A participant.

    Attributes:
        name: Its name in the table.
        command: Starts its process.
        environment: Its additional environment variables.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = {}


class Turn(NamedTuple):
    """What a contestant measured in a round.

    Attributes:
        items: Number of items processed.
        seconds: Elapsed time.
        cpu_seconds: CPU time it used.
        busy_seconds: CPU time that all processes used meanwhile.
        peak_megabytes: Its peak memory so far.
    """

    items: int
    seconds: float
    cpu_seconds: float
    busy_seconds: float
    peak_megabytes: int

    @property
    def rate(self) -> float:
        """Items per second."""
        return self.items / self.seconds


class ContestantError(RuntimeError):
    """A contestant exited early."""


class _Process:
    def __init__(self, contestant: Contestant) -> None:
        self.name = contestant.name
        # A file, because nothing reads a pipe while waiting for the next line.
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
        os.close(its)  # otherwise the process's exit would go unnoticed
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
        """Terminates the process."""
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
    """The outcome of a measurement.

    Attributes:
        turns: The turns of the valid rounds, by contestant.
        facts: What each contestant reports about itself.
        discarded: Number of disturbed rounds.
    """

    turns: dict[str, list[Turn]]
    facts: dict[str, dict[str, Any]]
    discarded: int


def run(contestants: Sequence[Contestant], rounds: int, pause: float = 0.5) -> Result:
    """Measures.

    Args:
        contestants: The participants; those that cannot start are reported and left out.
        rounds: Number of valid rounds; at most twice as many disturbed ones are discarded.
        pause: Seconds of idle time between turns. Default: 0.5.
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
