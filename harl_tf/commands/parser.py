"""The arguments of ``python -m harl_tf``; nothing here does any work."""

import argparse
from collections.abc import Sequence
from typing import Any

from harl_tf.commands.backbones import add_classify, add_export, add_predict
from harl_tf.commands.catalog import show_presets, show_recipes
from harl_tf.commands.evaluating import (
    add_evaluate,
    add_evaluate_detection,
    add_evaluate_segmentation,
    add_transfer,
)
from harl_tf.commands.pretraining import add_pretrain
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
    parsers = {
        "pretrain": add_pretrain(commands),
        "recipes": _add_recipes(commands),
        "presets": _add_presets(commands),
        "export": add_export(commands),
        "evaluate": add_evaluate(commands),
        "transfer": add_transfer(commands),
        "evaluate-segmentation": add_evaluate_segmentation(commands),
        "evaluate-detection": add_evaluate_detection(commands),
        "classify": add_classify(commands),
        "predict": add_predict(commands),
    }
    return line.read(parser, parsers, argv)


def _add_recipes(commands: Any) -> line.Parser:
    command = commands.add_parser("recipes", help="list the recipes, or print one line by line")
    command.add_argument(
        "name", metavar="RECIPE", nargs="?", help="recipe to print, with the source of every line"
    )
    command.set_defaults(run=show_recipes.run)
    return command


def _add_presets(commands: Any) -> line.Parser:
    command = commands.add_parser("presets", help="list the pretrained backbones that have names")
    command.set_defaults(run=show_presets.run)
    return command
