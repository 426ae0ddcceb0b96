"""Ours and the peers in turn, each in a process and an environment of its own.

Owns the turns, the rule for disturbed rounds, the table and the plot. In a round every contestant
measures once, in an order drawn anew, while the others wait for their line of input. A round counts
only if nothing else used the machine: in each turn, what all processors were busy with beyond the
contestant's own processor time may be 5 % of what they could have done. Ratios are formed within
rounds.
"""

import csv
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

ALLOWED_DISTURBANCE = 0.05
_BUSY = (0, 1, 2, 4, 5, 6, 7)
"""Columns of /proc/stat: user, nice, system, irq, softirq, steal; all but idle and iowait."""


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


class ContestantError(RuntimeError):
    """A contestant ended before it was told to."""


def disturbed(turn: Turn, processors: int) -> bool:
    """Whether something else used the machine during a turn."""
    others = turn.busy_seconds - turn.cpu_seconds
    return others > ALLOWED_DISTURBANCE * turn.seconds * processors


def busy_seconds() -> float:
    """Processor time that all processes, and the host's other guests, have used since the start."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(int(fields[column]) for column in _BUSY) / os.sysconf("SC_CLK_TCK")


class _Process:
    def __init__(self, contestant: Contestant) -> None:
        self.name = contestant.name
        # A file, since nobody empties a pipe while waiting for the next line.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            contestant.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **contestant.environment},
        )
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

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
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


def wait_until_idle(seconds: float, at_most: float = 20.0) -> None:
    """Waits for the one before to come to rest: threads that spin, loaders that fill their buffers.

    Args:
        seconds: For which the machine must have been all but idle.
        at_most: Seconds after which to go on all the same; the rule for disturbed rounds decides.
    """
    start, processors = time.perf_counter(), os.cpu_count() or 1
    while time.perf_counter() - start < at_most:
        before = busy_seconds()
        time.sleep(seconds)
        if busy_seconds() - before <= ALLOWED_DISTURBANCE * seconds * processors:
            return


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
            rates = {name: round(turn.items / turn.seconds, 2) for name, turn in measured.items()}
            print(rates, flush=True)
    finally:
        for process in processes:
            process.stop()
    return Result(turns, {process.name: process.facts for process in processes}, discarded)


def summary(result: Result, reference: str, **columns: Any) -> list[dict[str, Any]]:
    """Rows of the table.

    Args:
        result: Of ``run``.
        reference: The contestant that ratios are to.
        **columns: Further columns, the same in all rows.
    """
    rows = []
    for name, turns in result.turns.items():
        if not turns:
            continue
        rates = np.array([turn.items / turn.seconds for turn in turns])
        peer = np.array([turn.items / turn.seconds for turn in result.turns[reference]])
        facts = {key: value for key, value in result.facts[name].items() if key != "ready"}
        low, middle, high = np.percentile(rates, [25, 50, 75])
        first, ratio, third = np.percentile(rates / peer, [25, 50, 75])
        cpu = np.median([1e3 * turn.cpu_seconds / turn.items for turn in turns])
        rows.append(
            {
                **columns,
                "contestant": name,
                "per_second": f"{middle:.2f}",
                "quartiles": f"{low:.2f} {high:.2f}",
                "reference": reference,
                "ratio": f"{ratio:.3f}",
                "ratio_quartiles": f"{first:.3f} {third:.3f}",
                "cpu_milliseconds_each": f"{cpu:.3f}",
                "peak_megabytes": max(turn.peak_megabytes for turn in turns),
                "rounds": len(turns),
                "discarded": result.discarded,
                "facts": " ".join(f"{key}={value}" for key, value in facts.items()),
                "processor": processor(),
            }
        )
    return rows


def processor() -> str:
    """The processor's name and those of its instructions that matter here."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    has = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return " ".join([f"{os.cpu_count()} cores of", name, *has])


def read(path: str | pathlib.Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with pathlib.Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def by_contestant(rows: Sequence[dict[str, str]]) -> dict[str, dict[str, str]]:
    """The row of each contestant; of one in several groups, that of the first."""
    first: dict[str, dict[str, str]] = {}
    for row in rows:
        first.setdefault(row["contestant"], row)
    return first


def write(rows: Sequence[Mapping[str, Any]], path: str | pathlib.Path) -> None:
    """Writes the table, and prints it."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(*list(row.values())[:-2], sep="\t")


def plot(
    rows: Sequence[Mapping[str, Any]], path: str | pathlib.Path, title: str, unit: str
) -> None:
    """Medians as bars, quartiles as whiskers."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [row["contestant"] for row in rows][::-1]
    middle = np.array([float(row["per_second"]) for row in rows])[::-1]
    quartiles = np.array([[float(x) for x in row["quartiles"].split()] for row in rows])[::-1]
    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.36 * len(rows)))
    colors = ["#2b6cb0" if name.startswith("harl_tf") else "#a0aec0" for name in names]
    axes.barh(names, middle, color=colors, xerr=np.abs(quartiles.T - middle), capsize=2)
    for place, value in enumerate(middle):
        digits = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
        axes.text(quartiles[place, 1], place, f"  {digits}", va="center", fontsize=8)
    axes.set(xlabel=unit)
    figure.suptitle(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
