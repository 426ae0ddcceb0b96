"""``preview``: show masks on a page and on a contact sheet."""

import argparse
from typing import Any

from mask_generation.commands.line import Parser, natural
from mask_generation.interrupts import loading
from mask_generation.methods import DEFAULT, METHODS

_DESCRIPTION = """\
Shows masks, those of lowest quality first: a page to browse (one self-contained HTML file) and a
contact sheet (PNG). Each photograph is shown with its saliency, mask and flag; the page has a
histogram of foreground shares and counts of flags over all photographs, and can be sorted and
filtered.
"""


def add(commands: Any) -> Parser:
    """Adds the command's parser, and returns it."""
    parser = commands.add_parser(
        "preview",
        help="show masks on a page and a contact sheet",
        description=_DESCRIPTION,
    )
    parser.add_argument(
        "folder", metavar="RECORDS|PHOTOS", help="folder of records or of photographs"
    )
    parser.add_argument(
        "--out",
        metavar="OUT",
        help="folder for preview.html and preview.png, or a name ending in .html or .png to write "
        "only that file (default: the folder of records; for photographs, the current folder)",
    )
    parser.add_argument(
        "--count",
        type=natural,
        default=48,
        metavar="COUNT",
        help="number of photographs to show: half are those of lowest quality, the others are "
        "spread evenly over the rest (default: 48)",
    )
    parser.add_argument(
        "--method",
        choices=sorted(METHODS),
        metavar="METHOD",
        help=f"how masks of a folder of photographs are computed: {', '.join(sorted(METHODS))} "
        f"(default: {DEFAULT}); records already have masks",
    )
    parser.add_argument(
        "--workers",
        type=natural,
        default=1,
        metavar="COUNT",
        help="processes that compute masks of photographs (default: 1)",
    )
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Writes the preview and returns the names of its files."""
    with loading():
        from mask_generation.previews.preview import preview

    paths = preview(
        arguments.folder,
        arguments.out,
        count=arguments.count,
        method=arguments.method,
        workers=arguments.workers,
    )
    return "\n".join(map(str, paths))
