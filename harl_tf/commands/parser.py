"""What can be given to ``python -m harl_tf``; nothing here does any work."""

import argparse
from collections.abc import Sequence
from typing import Any

from harl_tf.commands import pretrain, show_recipes
from mask_generation.commands import line

_DESCRIPTION = "Self-supervised pretraining guided by foreground masks."
_EPILOG = (
    "python -m harl_tf COMMAND --help says more of each. --flagfile=FILE stands for the arguments "
    "in a file, one a line."
)


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
    parser = line.Parser(prog="python -m harl_tf", description=_DESCRIPTION, epilog=_EPILOG)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {"pretrain": _add_pretrain(commands), "recipes": _add_recipes(commands)}
    return line.read(parser, parsers, argv)


def _add_recipes(commands: Any) -> line.Parser:
    command = commands.add_parser("recipes", help="list the recipes, or print one line by line")
    command.add_argument(
        "name", metavar="RECIPE", nargs="?", help="recipe to print, with the source of every line"
    )
    command.set_defaults(run=show_recipes.run)
    return command


def _add_pretrain(commands: Any) -> line.Parser:
    command = commands.add_parser(
        "pretrain", help="train a recipe on records; interrupted, the same command goes on"
    )
    command.add_argument("records", metavar="RECORDS", help="folder that mask_generation wrote")
    command.add_argument("run_folder", metavar="RUN", help="folder for everything that is made")
    options: tuple[tuple[str, Any, str, str], ...] = (
        (
            "--recipe",
            str,
            "RECIPE",
            "one that `python -m harl_tf recipes` lists, or one of your own as module:NAME "
            f"(default: {pretrain.DEFAULT_RECIPE})",
        ),
        ("--epochs", line.natural, "N", "length of the run (default: the recipe's)"),
        (
            "--batch-size",
            line.natural,
            "N",
            "images per batch over all replicas; the learning rate is scaled by the recipe's rule "
            "(default: the recipe's)",
        ),
        ("--image-size", line.natural, "N", "side of the views in pixels (default: the recipe's)"),
        ("--seed", int, "N", "another run of the same recipe (default: 0)"),
        ("--labelled", str, "LABELLED_RECORDS", "records with labels, to follow the kNN accuracy"),
        (
            "--precision",
            line.one_of(*pretrain.PRECISIONS),
            "P",
            f"{', '.join(pretrain.PRECISIONS)} (default: the recipe's)",
        ),
        ("--accumulate", line.natural, "N", "parts that a batch is split into (default: 1)"),
        (
            "--strategy",
            line.one_of(*pretrain.STRATEGIES),
            "S",
            f"{', '.join(pretrain.STRATEGIES)} (default: one)",
        ),
    )
    for flag, kind, metavar, text in options:
        command.add_argument(flag, type=kind, metavar=metavar, help=text)
    command.set_defaults(
        run=pretrain.run, recipe=pretrain.DEFAULT_RECIPE, seed=0, accumulate=1, strategy="one"
    )
    return command
