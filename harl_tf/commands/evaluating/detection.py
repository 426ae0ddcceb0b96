"""``python -m harl_tf evaluate-detection``: how well boxes are found, fine-tuned."""

import argparse
import pathlib

import numpy as np

from harl_tf.commands import photographs
from harl_tf.commands.evaluating import measured
from harl_tf.commands.opening import backbone_of, opened, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.data import in_first_half
from harl_tf.evaluation import (
    Annotated,
    Annotations,
    Measured,
    fine_tuned_detection,
    read_coco,
    read_voc,
)


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone and prints, and perhaps writes, what was measured."""
    if arguments.csv is not None:
        photographs.check_file(arguments.csv)
    start = opened(arguments.backbone, arguments.from_values)
    size = size_for(start, arguments.image_size)
    settings = {"image_size": size, "seed": arguments.seed, "steps": arguments.steps}
    rows = []
    try:
        classes, train, test = _parts(arguments)
        print(f"{size}×{size} pixels, {len(train) + len(test)} photographs, {len(classes)} classes")
        for what, network in measured.networks(arguments, backbone_of(start)):
            precision = fine_tuned_detection(
                network, train, test, len(classes), size, arguments.steps, seed=arguments.seed
            )
            print(f"{what}:\n  {precision}")
            found = {"ap": precision.ap, "ap50": precision.ap50, "ap75": precision.ap75}
            for name, value in found.items():
                each = Measured(name, value, precision.images, labels=len(train))
                rows.append(measured.row(what, each, settings))
    except (OSError, ValueError, ImportError) as error:  # files of the user, a missing package
        raise CommandError(str(error)) from error
    measured.write(arguments.csv, rows)


def _parts(
    arguments: argparse.Namespace,
) -> tuple[tuple[str, ...], list[Annotated], list[Annotated]]:
    """Names of the classes, photographs to learn from, and others to score."""
    data = _read(arguments.images, arguments.annotations)
    if arguments.test is None:
        names = np.array([each.path.name for each in data.images])
        first = in_first_half(names).numpy()
        pairs = list(zip(data.images, first, strict=True))
        train, test = ([each for each, kept in pairs if kept == half] for half in (True, False))
        return data.classes, train, test
    images, annotations = arguments.test
    other = _read(images, annotations, data.classes)
    if other.classes != data.classes:
        raise CommandError(
            f"Expected the classes of {arguments.annotations} in {annotations}, too. "
            f"Received: {', '.join(other.classes)} instead of {', '.join(data.classes)}."
        )
    return data.classes, list(data.images), list(other.images)


def _read(images: str, annotations: str, classes: tuple[str, ...] | None = None) -> Annotations:
    """A file is COCO's, which names its classes; a folder Pascal VOC's, which may have others."""
    if pathlib.Path(annotations).is_dir():
        return read_voc(annotations, images, classes)
    return read_coco(annotations, images)
