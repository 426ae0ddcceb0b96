"""The contestants of a side-by-side measurement: processes of the command itself, and peers."""

import sys
from collections.abc import Mapping

from absl import flags

from benchmarks.harness.side_by_side import Contestant

FLAGS = flags.FLAGS


def ours(
    module: str, name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Contestant:
    """The module itself as a contestant, named by ``--contestant``."""
    command = [sys.executable, "-m", module, *arguments, f"--contestant={name}"]
    return Contestant(name, command, environment or {})


def peer(module: str, name: str, *arguments: object) -> Contestant:
    """A module of ``benchmarks.peers``, run by the Python that ``--peers`` names."""
    return Contestant(name, [FLAGS.peers, "-m", module, name, *map(str, arguments)])
