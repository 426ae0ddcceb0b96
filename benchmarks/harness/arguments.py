"""The flags that several commands have, each with one meaning and one default."""

from collections.abc import Callable
from typing import Any

from absl import flags

# What is defined here for a command is listed by that command's --help.
flags.disclaim_key_flags()

_FLAGS: dict[str, tuple[Callable[..., Any], Any, str]] = {
    "results": (flags.DEFINE_string, "benchmarks/results", "Folder for tables and pictures."),
    "photographs": (
        flags.DEFINE_string,
        None,
        "Folder of photographs. Default: those that come with scikit-image.",
    ),
    "peers": (
        flags.DEFINE_string,
        None,
        "Python of the peers' environment. Default: without peers.",
    ),
    "rounds": (flags.DEFINE_integer, 5, "Rounds that are to count."),
    "contestant": (flags.DEFINE_string, None, "Internal: which contestant this process is."),
}


def define(*names: str) -> None:
    """Defines flags of the command that calls this, by their names."""
    for name in names:
        kind, default, text = _FLAGS[name]
        kind(name, default, text)
