"""``evaluate``: score methods against drawn masks or boxes."""

import argparse
import contextlib
from collections.abc import Sequence
from typing import Any

from mask_generation.commands.line import Parser, natural
from mask_generation.evaluation.truth import EvaluationError
from mask_generation.interrupts import loading
from mask_generation.methods import DEFAULT, METHODS, MODEL_METHODS, MaskMethod, named

_DESCRIPTION = """\
Scores masks against drawn masks or boxes and prints a table:

  IoU          mean intersection over union of mask and true mask
  max F        best F-measure (beta squared 0.3) of the saliency's mean precision-recall curve
  MAE          mean absolute error of the saliency
  box IoU      mean IoU of the box of the mask's largest part and the true box it fits best
  CorLoc       share of photographs with a box IoU of 0.5 or more
  IoU<.3       share of photographs with an IoU, or box IoU, below 0.3
  flagged      share of photographs whose mask is flagged as not to be trusted
  quality~IoU  Spearman's rank correlation of the method's own quality with the IoU
  ms           mean CPU time per photograph, without reading it

ANNOTATED is a folder that contains one of these; the first one found is used:

  pairs.csv                 columns file and mask: paths of photographs and of their masks
  images/ and masks/        masks/NAME.png, or another name that convert takes, is the mask of
                            images/NAME.*
  boxes.csv or labels.csv   columns file, xmin, ymin, xmax, ymax, in pixels counted from 0, xmax and
                            ymax inside the box; one row per box

A mask has the size of its photograph and is read as `convert --masks` reads it: all but 0 is
foreground; 255 beside other labels is void and not scored; a mask of many grays is cut at half.
"""


def add(commands: Any) -> Parser:
    """Adds the command's parser, and returns it."""
    parser = commands.add_parser(
        "evaluate",
        help="score masks against drawn masks or boxes",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "annotated",
        nargs="+",
        metavar="ANNOTATED",
        help="folder of photographs with drawn masks or boxes, see above",
    )
    parser.add_argument(
        "--method",
        default=DEFAULT,
        choices=(*sorted(METHODS), "all", *sorted(MODEL_METHODS)),
        metavar="METHOD",
        help=f"{', '.join(sorted(METHODS))}, or all of these; or, with --model, "
        f"{', '.join(sorted(MODEL_METHODS))} (default: {DEFAULT})",
    )
    parser.add_argument("--model", metavar="MODEL", help="model of a method that needs one")
    parser.add_argument(
        "--half",
        type=int,
        choices=(0, 1),
        help="score only this half of the photographs, split by a hash of their names: choose "
        "settings on one half, report results on the other",
    )
    parser.add_argument(
        "--workers",
        type=natural,
        default=1,
        metavar="COUNT",
        help="processes (default: 1; keep it to measure time)",
    )
    parser.add_argument("--out", metavar="CSV", help="also write the table to this file")
    parser.add_argument(
        "--per-image", metavar="CSV", help="write the metrics of each photograph to this file"
    )
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Scores every method on every folder, and returns a table."""
    with loading():
        from mask_generation.evaluation import score_table
        from mask_generation.evaluation.evaluate import evaluate
        from mask_generation.whole_file import whole_file

    methods = _methods(arguments.method, arguments.model)
    with contextlib.ExitStack() as stack:
        # Opened first, so that a file that cannot be written is reported now and not after an hour.
        files = {
            write: stack.enter_context(whole_file(path))
            for write, path in (
                (score_table.write_table, arguments.out),
                (score_table.write_scores, arguments.per_image),
            )
            if path is not None
        }
        evaluations = [
            evaluate(folder, method, arguments.half, arguments.workers)
            for folder in arguments.annotated
            for method in methods
        ]
        for write, file in files.items():
            write(file, evaluations)
    return score_table.format_table(evaluations)


def _methods(name: str, model: str | None) -> Sequence[str | MaskMethod]:
    """The methods to score; those without a model by name, which the table shows."""
    if name == "all" and model is None:
        return list(METHODS)
    try:
        method = named(name, model)
    except ValueError as error:  # method and model are incompatible
        raise EvaluationError(str(error)) from error
    return [name if model is None else method]
