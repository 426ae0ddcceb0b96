"""The arguments of ``python -m harl_tf``; nothing here does any work."""

import argparse
from collections.abc import Sequence
from typing import Any

from harl_tf.commands import budget, pretrain, show_recipes
from harl_tf.zoo import VALUES
from mask_generation.commands import line

_DESCRIPTION = "Self-supervised pretraining guided by foreground masks."
_EPILOG = (
    "python -m harl_tf COMMAND --help explains a command. --flagfile=FILE reads arguments from a "
    "file, one per line."
)


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line.

    Args:
        argv: The program's name and its arguments.

    Returns:
        The arguments; their ``run`` is the function that does the work.

    Raises:
        SystemExit: With code 2, after one line on stderr, if the arguments are invalid.

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
        "pretrain",
        help="train a recipe on records; run again to resume, or to go on with more epochs",
    )
    command.add_argument("records", metavar="RECORDS", help="folder that mask_generation wrote")
    command.add_argument("run_folder", metavar="RUN", help="folder for everything the run writes")
    options: tuple[tuple[str, Any, str, str], ...] = (
        (
            "--recipe",
            str,
            "RECIPE",
            "one listed by `python -m harl_tf recipes`, or your own as module:NAME "
            f"(default: {pretrain.DEFAULT_RECIPE})",
        ),
        (
            "--batch-size",
            line.natural,
            "N",
            "images per batch over all replicas; the learning rate is scaled by the recipe's rule "
            "(default: the recipe's)",
        ),
        ("--image-size", line.natural, "N", "side of the views in pixels (default: the recipe's)"),
        ("--seed", int, "N", "random seed of the run (default: 0)"),
        ("--labelled", str, "LABELLED_RECORDS", "records with labels, to report kNN accuracy"),
        (
            "--precision",
            line.one_of(*pretrain.PRECISIONS),
            "P",
            f"{', '.join(pretrain.PRECISIONS)} (default: the recipe's)",
        ),
        ("--accumulate", line.natural, "N", "split each batch into N parts (default: 1)"),
        (
            "--strategy",
            line.one_of(*pretrain.STRATEGIES),
            "S",
            f"{', '.join(pretrain.STRATEGIES)} (default: one)",
        ),
    )
    for flag, kind, metavar, text in options:
        command.add_argument(flag, type=kind, metavar=metavar, help=text)
    _add_start(command)
    _add_length(command)
    command.set_defaults(
        run=pretrain.run, recipe=pretrain.DEFAULT_RECIPE, seed=0, accumulate=1, strategy="one"
    )
    return command


def _add_start(command: line.Parser) -> None:
    command.add_argument(
        "--from",
        dest="start",
        metavar="BACKBONE",
        help="begin with these weights in the place of the recipe's network: a backbone of an "
        "earlier run (its folder or the run's), a KerasHub preset (folder, name or handle), or "
        "a .keras file of a whole model (default: random weights)",
    )
    command.add_argument(
        "--from-values",
        type=line.one_of(*VALUES),
        metavar="V",
        help="pixel values that BACKBONE was trained with, if it does not say so itself: raw "
        "(0 to 255), unit (0 to 1), signed (-1 to 1), imagenet (minus ImageNet's mean, divided by "
        "its deviation) or caffe (BGR minus ImageNet's mean)",
    )


def _add_length(command: line.Parser) -> None:
    lengths: tuple[tuple[str, Any, str, str], ...] = (
        (
            "--epochs",
            line.natural,
            "N",
            "epochs of the whole run (default: the recipe's); more than a finished run has: it "
            "goes on to N",
        ),
        (
            "--steps",
            line.natural,
            "N",
            "length in steps, rounded up to whole epochs; of a finished run: N more",
        ),
        (
            "--minutes",
            budget.duration,
            "T",
            "length in minutes, which measures some steps; of a finished run: T more",
        ),
        ("--hours", budget.duration, "T", "the same in hours"),
    )
    length = command.add_mutually_exclusive_group()
    for flag, kind, metavar, text in lengths:
        length.add_argument(flag, type=kind, metavar=metavar, help=text)
