"""Flags shared by several commands, each with one meaning and one default."""

from collections.abc import Callable
from typing import Any

from absl import flags

# Flags defined here for a command are listed in that command's --help.
flags.disclaim_key_flags()

_FLAGS: dict[str, tuple[Callable[..., Any], Any, str]] = {
    "results": (flags.DEFINE_string, "benchmarks/results", "Folder for tables and pictures."),
    "photographs": (
        flags.DEFINE_string,
        None,
        "Folder of photographs. Default: scikit-image's photographs.",
    ),
    "peers": (
        flags.DEFINE_string,
        None,
        "Python of the peers' environment. Default: no peers.",
    ),
    "rounds": (flags.DEFINE_integer, 5, "Number of valid rounds."),
    "contestant": (flags.DEFINE_string, None, "Internal: which contestant this process is."),
}


def define(*names: str) -> None:
    """Defines the named flags for the calling command."""
    for name in names:
        kind, default, text = _FLAGS[name]
        kind(name, default, text)
