"""The arguments of ``pretrain``; nothing here does any work."""

import argparse
from typing import Any

from harl_tf.commands.options import add_values
from harl_tf.commands.pretraining import budget, pretrain
from harl_tf.runs import CHANGEABLE
from mask_generation.commands import line


def add_pretrain(commands: Any) -> line.Parser:
    """Adds ``pretrain`` to the commands, and returns its parser."""
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
        ("--seed", line.whole, "N", "random seed of the run (default: 0)"),
        (
            "--labeled --labelled",
            str,
            "LABELED_RECORDS",
            "records with labels, to report what kNN and a linear classifier make of the features",
        ),
        (
            "--precision",
            line.one_of(*pretrain.PRECISIONS),
            "P",
            f"{', '.join(pretrain.PRECISIONS)} (default: the recipe's)",
        ),
        ("--accumulate", line.natural, "N", "split each batch into N parts (default: 1)"),
        (
            "--save-minutes",
            budget.duration,
            "T",
            "save also within epochs, every T minutes (default: 15)",
        ),
        (
            "--change",
            _changes,
            "NAME,NAME",
            f"settings that a run that was begun may change: {', '.join(CHANGEABLE)}",
        ),
        (
            "--strategy",
            line.one_of(*pretrain.STRATEGIES),
            "S",
            "one (this device), mirrored (all GPUs of this machine) or multi-worker (the machines "
            "that TF_CONFIG lists) (default: one)",
        ),
    )
    for flag, kind, metavar, text in options:
        command.add_argument(*flag.split(), type=kind, metavar=metavar, help=text)
    _add_start(command)
    _add_length(command)
    command.set_defaults(
        run=pretrain.run,
        recipe=pretrain.DEFAULT_RECIPE,
        seed=0,
        accumulate=1,
        strategy="one",
        save_minutes=15.0,
        change=[],
    )
    return command


def _changes(text: str) -> list[str]:
    names = text.replace("-", "_").replace("labelled", "labeled").split(",")
    for name in names:
        if name not in CHANGEABLE:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(CHANGEABLE)}")
    return names


def _add_start(command: line.Parser) -> None:
    command.add_argument(
        "--from",
        dest="start",
        metavar="BACKBONE",
        help="begin with these weights in the place of the recipe's network: a backbone of an "
        "earlier run (its folder or the run's), a name of `python -m harl_tf presets`, a KerasHub "
        "preset (folder, name or handle), or "
        "a .keras file of a whole model (default: random weights)",
    )
    add_values(command)


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
