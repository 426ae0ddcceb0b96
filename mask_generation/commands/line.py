"""How a command line is read, and how a command ends; for this package and for ``harl_tf``.

Owns flag files, one-line error messages, suggestions for unknown words, and exit codes. It knows no
commands and imports nothing slow.
"""

import argparse
import difflib
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

from absl import flags

from mask_generation.interrupts import interruptible

INTERRUPTED = 130
"""Exit code after Ctrl-C, the shell convention."""

TERMINATED = 143
"""Exit code after SIGTERM, by which a batch system, a container or ``kill`` ends a process."""


class Parser(argparse.ArgumentParser):
    """argparse with one-line errors and without abbreviated options."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Exits with code 2 after one line on stderr."""
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def read(parser: Parser, commands: Mapping[str, Parser], argv: Sequence[str]) -> argparse.Namespace:
    """Reads a command line.

    ``--flagfile=FILE``, anywhere on it, inserts the arguments from a file, one per line, as in
    absl; lines that begin with ``#`` are comments.

    Args:
        parser: The top-level parser; it stores the name of the command as ``command``.
        commands: The parsers of the commands by name.
        argv: The program's name and its arguments.

    Returns:
        The arguments.

    Raises:
        SystemExit: With code 2, after one line on stderr, if the arguments are invalid.

    Example:
        >>> parser = Parser(prog="python -m anything")
        >>> added = parser.add_subparsers(dest="command", required=True)
        >>> commands = {"look": added.add_parser("look")}
        >>> _ = commands["look"].add_argument("--count", type=natural)
        >>> read(parser, commands, ["anything", "look", "--count=3"]).count
        3
    """
    try:
        words = flags.FLAGS.read_flags_from_files(list(argv[1:]), force_gnu=True)
    except (flags.Error, OSError) as error:
        parser.error(" ".join(str(error).split()))
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        word = unknown[0].partition("=")[0]
        known = re.findall(r"--[a-z][\w-]*", commands[arguments.command].format_usage())
        meant = nearest(word, ["--flagfile", *known]).partition(" or ")[0]
        commands[arguments.command].error(
            f"unknown argument {unknown[0]}" + (f"; is it {meant}?" if meant else "")
        )
    return arguments


def run(
    action: Callable[[], object],
    codes: Callable[[], Mapping[type[BaseException], int]],
    interrupted: str,
) -> int:
    """Runs a command and turns errors that a user can cause into one line and an exit code.

    SIGTERM ends a command like Ctrl-C.

    Args:
        action: Does the work.
        codes: Called after a failure; returns the errors that a user can cause with their exit
            codes. Other errors are re-raised with their traceback.
        interrupted: Message after an interrupt that has none of its own.

    Returns:
        The exit code.

    Example:
        >>> run(lambda: print("done"), dict, "")
        done
        0
    """
    with interruptible() as received:
        try:
            action()
        except KeyboardInterrupt as interrupt:  # also while something is being imported
            print(f"\n{str(interrupt) or interrupted}", file=sys.stderr)
            return TERMINATED if signal.SIGTERM in received else INTERRUPTED
        except BrokenPipeError:  # ... | head
            return 1
        except Exception as error:
            for kind, code in codes().items():
                if isinstance(error, kind):
                    print(f"error: {error}", file=sys.stderr)
                    return code
            raise
        return 0


def nearest(name: str, names: Iterable[str]) -> str:
    """Similar names that may have been meant, joined with "or"; empty if there are none.

    Example:
        >>> nearest("harl_10", ["harl_100", "harl_1000"])
        'harl_100 or harl_1000'
        >>> nearest("x", ["harl_100"])
        ''
    """
    return " or ".join(difflib.get_close_matches(name, list(names), n=3, cutoff=0.5))


def natural(text: str) -> int:
    """A whole number of at least 1, as the ``type`` of an argument.

    Example:
        >>> natural("8")
        8
    """
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, received {text}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, received {value}")
    return value


def whole(text: str) -> int:
    """A whole number from 0 that fits into 32 bits, such as a seed.

    Raises:
        ArgumentTypeError: If it is none.

    Example:
        >>> whole("12")
        12
    """
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"expected a whole number below 2³², received {text}")
    return int(text)


def one_of(*names: str) -> Callable[[str], str]:
    """One of these words, as the ``type`` of an argument.

    Example:
        >>> one_of("fast", "best")("best")
        'best'
    """

    def chosen(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"expected {' or '.join(names)}, received {text}")
        return text

    return chosen
