"""Feeds mutated inputs to what reads them.

    python -m tests.fuzz TARGET [--count=10000] [--seed=0] [--first=0]
    python -m tests.fuzz TARGET --guided --count=10000

Each input must be read or refused within 10 seconds and 2 GB beyond what the process had, without
an error but those that are documented. One that is not is kept in ``tests/fuzz/crashes`` and
replayed by the tests from then on. ``--guided`` lets Atheris choose the mutations by coverage
(``pip install atheris``).
"""

import argparse
import contextlib
import faulthandler
import hashlib
import pathlib
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from types import FrameType

from tests.fuzz.mutations import mutated

SECONDS = 10
BYTES = 2 * 2**30
INSTRUMENTED = ["harl_tf", "mask_generation", "PIL", "tarfile", "json", "zipfile", "numpy.lib"]
CRASHES = pathlib.Path(__file__).parent / "crashes"


class Bounds:
    """Limits of time and memory for one input; the input is on disk while it is being read."""

    def __init__(self, target: str, run: Callable[[bytes], None]) -> None:
        self.longest, self.faults = 0.0, 0
        self._target, self._run = target, run
        self._current = CRASHES / f"{target}_current.bin"
        faulthandler.enable()
        signal.signal(signal.SIGALRM, _too_long)
        used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))

    def run(self, data: bytes) -> None:
        """Feeds one input; keeps it if it is a fault."""
        self._current.write_bytes(data)  # what remains of it if the process dies
        start = time.monotonic()
        signal.alarm(SECONDS)
        try:
            self._run(data)
        except Exception:
            name = f"{self._target}_{hashlib.sha256(data).hexdigest()[:12]}.bin"
            (CRASHES / name).write_bytes(data)
            print(f"{name}: {traceback.format_exc()}", file=sys.stderr)
            self.faults += 1
        finally:
            signal.alarm(0)
        self.longest = max(self.longest, time.monotonic() - start)
        self._current.unlink()


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"An input took longer than {SECONDS} s.")


def guided(run: Callable[[bytes], None], seeds: Sequence[bytes], count: int) -> None:
    """Lets Atheris make inputs from the seeds, by what they reach in the code; ends the process."""
    import atheris

    with tempfile.TemporaryDirectory() as corpus:
        for number, each in enumerate(seeds):
            (pathlib.Path(corpus) / str(number)).write_bytes(each)
        longest = 2 * max(map(len, seeds))
        # Memory is limited by Bounds; libFuzzer would count TensorFlow's, too.
        options = [f"-runs={count}", f"-max_len={longest}", "-rss_limit_mb=0"]
        atheris.Setup([sys.argv[0], *options, corpus], run)
        atheris.Fuzz()


def instrumented() -> contextlib.AbstractContextManager[None]:
    """In it, what is imported tells Atheris what has been reached."""
    import atheris

    return atheris.instrument_imports(include=INSTRUMENTED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target")
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--guided", action="store_true")
    arguments = parser.parse_args()
    with instrumented() if arguments.guided else contextlib.nullcontext():
        from tests.fuzz.targets import TARGETS  # after Atheris, if it is to see what is reached
    if arguments.target not in TARGETS:
        parser.error(f"expected one of {', '.join(TARGETS)}; received {arguments.target}")
    target = TARGETS[arguments.target]
    seeds = target.seeds()
    for each in seeds:
        target.run(each)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bounds = Bounds(arguments.target, target.run)
    if arguments.guided:
        guided(bounds.run, seeds, arguments.count)
    start = time.monotonic()
    for number in range(arguments.first, arguments.first + arguments.count):
        bounds.run(mutated(seeds, arguments.seed, number))
    seconds = time.monotonic() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{arguments.target}: {arguments.count} inputs in {seconds:.0f} s, {bounds.faults} faults, "
        f"longest {bounds.longest:.2f} s, {grown:.0f} MB above what valid inputs needed."
    )
    raise SystemExit(bounds.faults > 0)


if __name__ == "__main__":
    main()
