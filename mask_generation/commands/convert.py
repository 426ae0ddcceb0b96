"""``convert``: compute masks and write records."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from mask_generation.commands.left_out import print_left_out
from mask_generation.commands.line import Parser, natural
from mask_generation.inputs.file_names import printable
from mask_generation.interrupts import loading
from mask_generation.methods import DEFAULT, METHODS
from mask_generation.methods.regions import REGION_METHODS

_DESCRIPTION = """\
Computes a foreground mask for every photograph and writes both as TFRecords, to be read with
harl_tf.data or tfds.builder_from_directory. The same photographs give the same bytes, whatever the
number of workers and the engine. After an interruption, run the same command again to continue
where it stopped.
"""

_EPILOG = """\
PHOTOS:
  FOLDER                    images, flat or with one subfolder per class, perhaps below train, val
                            and test; images above the class folders have no label
  LIST.txt                  one path per line, relative to the list; optionally TAB and class,
                            whose whole numbers are the labels themselves
  A.tar [B.tar ...]         may be compressed; folders are classes, but for those around everything;
                            of WebDataset, KEY.cls or KEY.json is the label of KEY.jpg
  tfds:NAME[/config][:version][:split]

MASKS, your own (--masks):
  FOLDER                    for a/b.jpg the first of a/b.jpg.png, a/b.png, a/b.npz (array
                            'foreground'), a/b.tif and so on; also b.png for .../train/b.JPEG
  tfds:FEATURE              a feature of the data set
  FOLDER=1,3 and tfds:FEATURE=1,3: the listed values are foreground. Without them, all but 0 is
  foreground, 255 is void in a mask with other labels, and a mask of many grays is cut at half.

examples:
  python -m mask_generation convert photos records
  python -m mask_generation convert val records --classes classes.txt
  python -m mask_generation convert photos.tar records --also grid,felzenszwalb
  python -m mask_generation convert tfds:oxford_iiit_pet records --masks tfds:segmentation_mask=1,3
  python -m mask_generation convert photos records --engine beam --beam-args "--runner=FlinkRunner"
"""

# Up to so many classes are all printed, of more the first few.
_ALL, _FIRST = 20, 5


def add(commands: Any) -> Parser:
    """Adds the command's parser, and returns it."""
    parser = commands.add_parser(
        "convert",
        help="compute masks and write records",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "photos", nargs="+", metavar="PHOTOS", help="source of photographs, see below"
    )
    parser.add_argument("records", metavar="RECORDS", help="folder of records to create")
    parser.add_argument(
        "--classes",
        metavar="FILE",
        help="one class name per line, in the order of their labels; others are refused (default: "
        "those that occur, sorted)",
    )
    masks = parser.add_argument_group("masks")
    masks.add_argument(
        "--method",
        metavar="METHOD",
        help=f"how masks are computed: {', '.join(sorted(METHODS))}, files for --masks, or a "
        f"method that needs --model (default: {DEFAULT})",
    )
    masks.add_argument("--model", metavar="MODEL", help="model of a method that needs one")
    masks.add_argument(
        "--masks", metavar="MASKS", help="your own masks instead of computed ones, see below"
    )
    masks.add_argument(
        "--also",
        default="",
        metavar="METHOD,METHOD",
        help=f"further masks for every record: {', '.join(REGION_METHODS)} (many regions) or any "
        "other method",
    )
    masks.add_argument(
        "--flagged",
        default="leave_out",
        choices=("leave_out", "keep"),
        help="what to do with photographs whose mask is flagged as not to be trusted: leave them "
        "out, or keep them with the flag in their records (default: leave_out)",
    )
    form = parser.add_argument_group("records")
    form.add_argument(
        "--longest-side", type=natural, metavar="PIXELS", help="shrink larger photographs to this"
    )
    form.add_argument(
        "--per-shard",
        type=natural,
        default=1000,
        metavar="COUNT",
        help="photographs per file (default: 1000)",
    )
    form.add_argument("--overwrite", action="store_true", help="replace existing RECORDS")
    work = parser.add_argument_group("work")
    work.add_argument(
        "--workers",
        type=natural,
        default=os.cpu_count() or 1,
        metavar="COUNT",
        help="processes (default: all cores)",
    )
    work.add_argument(
        "--seconds-per-photo",
        type=natural,
        default=300,
        metavar="SECONDS",
        help="leave out a photograph that takes longer, with several workers (default: 300)",
    )
    work.add_argument(
        "--gigabytes-per-photo",
        type=float,
        default=6.0,
        metavar="GB",
        help="leave out a photograph that needs more memory, with several workers (default: 6)",
    )
    work.add_argument(
        "--engine",
        default="pool",
        choices=("pool", "beam"),
        help="processes of this machine, or Apache Beam (default: pool)",
    )
    work.add_argument(
        "--beam-args", default="", metavar="OPTIONS", help="Beam pipeline options, as one string"
    )
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> str:
    """Converts, lists what was left out on standard error, and returns a summary."""
    with loading():
        from mask_generation.conversion.convert import convert

    manifest = convert(
        arguments.photos,
        arguments.records,
        method=arguments.method,
        workers=arguments.workers,
        images_per_shard=arguments.per_shard,
        longest_side=arguments.longest_side,
        flagged=arguments.flagged,
        overwrite=arguments.overwrite,
        also=[name for name in arguments.also.split(",") if name],
        masks=arguments.masks,
        model=arguments.model,
        engine=arguments.engine,
        beam_options=shlex.split(arguments.beam_args),
        classes=arguments.classes,
        seconds_per_photograph=arguments.seconds_per_photo,
        gigabytes_per_photograph=arguments.gigabytes_per_photo,
    )
    print_left_out(manifest.left_out, "see the manifest")
    if manifest.passed_over:
        kinds = _counts((printable(each), n) for each, n in manifest.passed_over.items())
        print(f"passed over, no photographs: {kinds}", file=sys.stderr)
    for assumption, count in manifest.assumptions.items():
        print(f"{count} masks: {assumption}.", file=sys.stderr)
    if manifest.classes:
        print(f"classes: {_classes(manifest.class_counts)}", file=sys.stderr)
    classes = f", {len(manifest.classes)} classes" if manifest.classes else ""
    flagged = manifest.records - manifest.unflagged
    kept = f", {flagged} flagged" if flagged else ""
    return (
        f"{manifest.records} records{classes}{kept}, {len(manifest.left_out)} left out: "
        f"{arguments.records}"
    )


def _classes(counts: Mapping[str, int]) -> str:
    """Classes with their labels and numbers of records, the first of many.

    Example:
        >>> _classes({"cat": 3, "dog": 0})
        '0 cat: 3, 1 dog: 0'
    """
    shown = [
        f"{label} {printable(name)}: {count}"
        for label, (name, count) in enumerate(counts.items())
        if len(counts) <= _ALL or label < _FIRST
    ]
    if len(shown) < len(counts):
        without = sum(count == 0 for count in counts.values())
        bare = f", {without} of them without a record" if without else ""
        shown.append(f"… {len(counts):,} classes{bare}")
    return ", ".join(shown)


def _counts(kinds: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds)
