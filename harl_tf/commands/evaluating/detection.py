"""``python -m harl_tf evaluate-detection``: how well boxes are found, fine-tuned."""

import argparse
import pathlib

import numpy as np

from harl_tf.commands.evaluating import measured
from harl_tf.commands.evaluating.halves import first_half
from harl_tf.commands.opening import backbone_of, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.evaluation import (
    Annotated,
    Annotations,
    Boxes,
    Measured,
    fine_tuned_detection,
    read_coco,
    read_voc,
    share_too_small,
)
from harl_tf.evaluation.score import short


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone and prints, and perhaps writes, what was measured."""
    start = measured.start_of(arguments)
    size = size_for(start, arguments.image_size, multiple=32)
    settings = {"image_size": size, "seed": arguments.seed, "steps": arguments.steps}
    try:
        classes, train, test = _parts(arguments)
        print(f"{size}×{size} pixels, {len(train) + len(test)} photographs, {len(classes)} classes")
        _warn(share_too_small([*train, *test], size))
        with measured.table(arguments.csv) as rows:
            for what, network in measured.networks(arguments, backbone_of(start)):
                steps, seed = arguments.steps, arguments.seed
                precision = fine_tuned_detection(
                    network, train, test, len(classes), size, steps, seed=seed
                )
                print(f"{what}:\n  {precision}")
                found = {"ap": precision.ap, "ap50": precision.ap50, "ap75": precision.ap75}
                for name, value in found.items():
                    each = Measured(name, value, precision.images, labels=len(train))
                    rows.append(measured.row(what, each, settings))
    except (OSError, ValueError, ImportError) as error:  # files of the user, a missing package
        raise CommandError(str(error)) from error


def _warn(too_small: float) -> None:
    if too_small > 0:
        print(
            f"note: {short(too_small)} of the boxes are too small at this size to be learned; "
            "a larger --image-size helps"
        )


def _parts(
    arguments: argparse.Namespace,
) -> tuple[tuple[str, ...], list[Annotated], list[Annotated]]:
    """Names of the classes, photographs to learn from, and others to score."""
    data = _read(arguments.images, arguments.annotations)
    if arguments.test is None:
        below = [_below(arguments.images, each.path) for each in data.images]
        first = first_half(below, f"Expected photographs for two halves. Received: {len(below)}.")
        pairs = list(zip(data.images, first, strict=True))
        train, test = ([each for each, kept in pairs if kept == half] for half in (True, False))
        return data.classes, train, test
    images, annotations = arguments.test
    other = _read(images, annotations, data.classes)
    return data.classes, list(data.images), _with_classes(other, data.classes, annotations)


def _below(folder: str, path: pathlib.Path) -> str:
    """The name of a photograph; COCO's files may name it by its whole path."""
    inner = path.relative_to(folder) if path.is_relative_to(folder) else path
    return inner.with_suffix("").as_posix()


def _read(images: str, annotations: str, classes: tuple[str, ...] | None = None) -> Annotations:
    """A file is COCO's, which names its classes; a folder Pascal VOC's, which may have others."""
    if pathlib.Path(annotations).is_dir():
        data = read_voc(annotations, images, classes)
    else:
        data = read_coco(annotations, images)
    if data.left_out:
        print(f"note: {data.left_out} boxes of {annotations} have no area and are left out")
    return data


def _with_classes(data: Annotations, classes: tuple[str, ...], annotations: str) -> list[Annotated]:
    """The photographs with the numbers that their classes have elsewhere."""
    used = {
        data.classes[label]
        for each in data.images
        for boxes in (each.boxes, each.ignored)
        for label in boxes.classes
    }
    unknown = sorted(used - set(classes))
    if unknown:
        raise CommandError(
            f"Expected boxes of {', '.join(classes)} in {annotations}, which are learned. "
            f"Received: {', '.join(unknown)}."
        )
    numbers = np.array([classes.index(name) if name in used else -1 for name in data.classes], int)

    def renumbered(boxes: Boxes) -> Boxes:
        return boxes._replace(classes=numbers[boxes.classes])

    return [
        each._replace(boxes=renumbered(each.boxes), ignored=renumbered(each.ignored))
        for each in data.images
    ]
