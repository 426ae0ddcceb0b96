"""What can be given to ``python -m harl_tf``; nothing here does any work."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from absl.flags import argparse_flags

from harl_tf.commands import pretrain, show_recipes
from harl_tf.commands.refusal import nearest

_DESCRIPTION = "Self-supervised pretraining guided by foreground masks."


class _Parser(argparse_flags.ArgumentParser):
    """argparse, except that an error is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line.

    Args:
        argv: The program's name and its arguments.

    Returns:
        The arguments; ``run`` is the function that does the work.

    Raises:
        SystemExit: With code 2 after one line on stderr, if they cannot be understood.

    Example:
        >>> parse_arguments(["harl_tf", "recipes", "harl_100"]).name
        'harl_100'
    """
    parser = _Parser(prog="python -m harl_tf", description=_DESCRIPTION, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    options = {"pretrain": _add_pretrain(commands), "recipes": _add_recipes(commands)}
    arguments, unknown = parser.parse_known_args(argv[1:])
    if unknown:
        meant = nearest(unknown[0].partition("=")[0], options[arguments.command])
        parser.error(f"unknown argument {unknown[0]}" + (f"; is it {meant}?" if meant else ""))
    return arguments


def _add_recipes(commands: Any) -> list[str]:
    command = commands.add_parser(
        "recipes",
        help="list the recipes, or print one line by line",
        inherited_absl_flags=None,
        allow_abbrev=False,
    )
    command.add_argument("name", metavar="NAME", nargs="?", help="recipe to print, with sources")
    command.set_defaults(run=show_recipes.run)
    return []


def _add_pretrain(commands: Any) -> list[str]:
    command = commands.add_parser(
        "pretrain",
        help="train a recipe on records; interrupted, the same command goes on",
        inherited_absl_flags=None,
        allow_abbrev=False,
    )
    command.add_argument("recipe", metavar="RECIPE", help="one of: python -m harl_tf recipes")
    command.add_argument("records", metavar="RECORDS", help="folder that mask_generation wrote")
    command.add_argument("run_folder", metavar="RUN", help="folder for everything that is made")
    options = (
        ("--epochs", _natural, "N", "length of the run (default: the recipe's)"),
        (
            "--batch-size",
            _natural,
            "N",
            "photographs per batch over all replicas; the learning "
            "rate is scaled by the recipe's rule (default: the recipe's)",
        ),
        ("--image-size", _natural, "N", "side of the views in pixels (default: the recipe's)"),
        ("--seed", int, "N", "another run of the same recipe (default: 0)"),
        ("--labelled", str, "FOLDER", "records with labels, to follow the kNN accuracy on"),
        ("--precision", _policy, "P", f"{', '.join(pretrain.PRECISIONS)} (default: the recipe's)"),
        ("--accumulate", _natural, "N", "parts that a batch is split into (default: 1)"),
        ("--strategy", _strategy, "S", f"{', '.join(pretrain.STRATEGIES)} (default: one)"),
    )
    for flag, kind, metavar, text in options:
        command.add_argument(flag, type=kind, metavar=metavar, help=text)
    command.set_defaults(run=pretrain.run, seed=0, accumulate=1, strategy="one")
    return [option[0] for option in options]


def _natural(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, received {text}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, received {value}")
    return value


def _policy(text: str) -> str:
    return _one_of(text, pretrain.PRECISIONS)


def _strategy(text: str) -> str:
    return _one_of(text, pretrain.STRATEGIES)


def _one_of(text: str, names: Sequence[str]) -> str:
    if text not in names:
        raise argparse.ArgumentTypeError(f"expected {' or '.join(names)}, received {text}")
    return text
