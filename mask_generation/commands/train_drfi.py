"""``train-drfi``: train the model of the method ``drfi``."""

import argparse
import os
import pathlib
from typing import Any

from mask_generation.commands.left_out import print_left_out
from mask_generation.commands.line import Parser, natural, whole
from mask_generation.interrupts import loading
from mask_generation.methods import DEFAULT, METHODS

_DESCRIPTION = """\
Trains the model of the method drfi on the regions of photographs, with masks that you drew, or
without any on those of another method. The same photographs give the same file. It needs LightGBM:
pip install "harl_tf[drfi]".

Masks learned from those of another method were no better than the default method's on the three
sets of docs/masks.md; with drawn masks they were better on one of the three.
"""

_EPILOG = """\
examples:
  python -m mask_generation train-drfi photos drfi.json
  python -m mask_generation train-drfi photos drfi.json --masks masks
  python -m mask_generation convert photos records --method drfi --model drfi.json
"""


def add(commands: Any) -> Parser:
    """Describes the command's arguments to a parser, and returns it."""
    parser = commands.add_parser(
        "train-drfi",
        help="train the model of the method drfi",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", metavar="PHOTOS", help="folder of photographs")
    parser.add_argument("model", metavar="MODEL", help="file to write, such as drfi.json")
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument(
        "--masks",
        metavar="MASKS",
        help="folder of masks, a/b.png for a/b.jpg, named as for convert",
    )
    labels.add_argument(
        "--pseudo",
        default=DEFAULT,
        choices=sorted(METHODS),
        metavar="METHOD",
        help=f"learn from the masks of this method: {', '.join(sorted(METHODS))} (default: "
        f"{DEFAULT})",
    )
    parser.add_argument(
        "--trees", type=natural, default=200, metavar="COUNT", help="trees (default: 200)"
    )
    parser.add_argument(
        "--limit", type=natural, metavar="COUNT", help="use this many photographs (default: all)"
    )
    parser.add_argument("--seed", type=whole, default=0, help="of the trees (default: 0)")
    parser.add_argument(
        "--workers",
        type=natural,
        default=os.cpu_count() or 1,
        metavar="COUNT",
        help="processes (default: all cores)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an older MODEL")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Trains, names what was left out on the standard error, and sums up."""
    with loading():
        from mask_generation.training.drfi import RegionSettings, train
        from mask_generation.whole_file import whole_file

    out = pathlib.Path(arguments.model)
    if out.exists() and not arguments.overwrite:
        raise OSError(f"{out} exists. Choose another file or pass --overwrite.")
    pseudo = None if arguments.masks else arguments.pseudo
    with whole_file(out) as temporary:  # whether it can be written is known before the work
        trained, left_out = train(
            arguments.photos,
            RegionSettings(pseudo, arguments.masks),
            trees=arguments.trees,
            limit=arguments.limit,
            seed=arguments.seed,
            workers=arguments.workers,
        )
        trained.save(temporary)
    print_left_out(left_out)
    return f"{trained.count} trees, trained on {trained.trained_on}: {out}"
