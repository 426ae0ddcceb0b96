"""``python -m harl_tf evaluate-segmentation``: what of a segmentation is in frozen cells."""

import argparse
from collections.abc import Iterator

import numpy as np

from harl_tf.commands.backbones import measured, photographs
from harl_tf.commands.opening import backbone_of, opened, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.data import in_first_half
from harl_tf.evaluation import ImageMasks, Measured, Overlap, image_masks, segmentation_score
from harl_tf.evaluation.dense.overlap import VOID


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone and prints, and perhaps writes, what was measured."""
    if arguments.csv is not None:
        photographs.check_file(arguments.csv)
    start = opened(arguments.backbone, arguments.from_values)
    backbone = backbone_of(start)
    fixed = backbone.inputs[0].shape[1] is not None
    scaled = fixed or arguments.image_size is not None
    size = size_for(start, arguments.image_size) if scaled else None
    settings = {"image_size": size, "seed": arguments.seed}
    rows = []
    try:
        parts = halves(image_masks(arguments.images, arguments.masks, size))
        classes = arguments.classes or _classes(parts)
        print(f"{sum(map(len, parts))} photographs, {classes} classes")
        for what, network in measured.networks(arguments, backbone):
            overlap = segmentation_score(network, *parts, classes)
            print(f"{what}:\n  {overlap}")
            rows += [measured.row(what, each, settings) for each in _found(overlap, len(parts[0]))]
    except ValueError as error:  # files of the user
        raise CommandError(str(error)) from error
    measured.write(arguments.csv, rows)


def halves(data: ImageMasks) -> tuple[ImageMasks, ImageMasks]:
    """Photographs to learn from and others to score, by a hash of their names.

    Raises:
        CommandError: If there are too few.
    """
    first = [bool(each) for each in in_first_half(np.array(data.names)).numpy()]
    parts = data.only(first), data.only([not each for each in first])
    if not all(map(len, parts)):
        raise CommandError(f"Expected photographs for two halves. Received: {len(data)}.")
    return parts


def _classes(parts: tuple[ImageMasks, ImageMasks]) -> int:
    """One more than the largest class number."""
    largest = 0
    for part in parts:
        for _, labels in part:
            largest = max(largest, int(labels[labels != VOID].max(initial=0)))
    return largest + 1


def _found(overlap: Overlap, labels: int) -> Iterator[Measured]:
    images = len(overlap.confusions)
    yield Measured("miou", overlap.mean, images, overlap.standard_error, labels=labels)
    for label, value in enumerate(overlap.by_class):
        if not np.isnan(value):
            yield Measured(f"iou_{label}", float(value), images, labels=labels)
