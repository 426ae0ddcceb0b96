"""``python -m harl_tf evaluate-segmentation``: what of it is in frozen cells, and fine-tuned."""

import argparse
from collections.abc import Iterator

import numpy as np

from harl_tf.commands import photographs
from harl_tf.commands.evaluating import measured
from harl_tf.commands.opening import backbone_of, opened, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.data import in_first_half
from harl_tf.evaluation import (
    ImageMasks,
    Measured,
    Overlap,
    fine_tuned_segmentation,
    image_masks,
    segmentation_score,
)


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone and prints, and perhaps writes, what was measured."""
    if arguments.csv is not None:
        photographs.check_file(arguments.csv)
    start = opened(arguments.backbone, arguments.from_values)
    backbone = backbone_of(start)
    fixed = backbone.inputs[0].shape[1] is not None
    scaled = fixed or arguments.image_size is not None or arguments.fine_tune is not None
    size = size_for(start, arguments.image_size) if scaled else None
    settings = {"image_size": size, "seed": arguments.seed}
    rows = []
    try:
        data = image_masks(arguments.images, arguments.masks, size)
        if arguments.test is None:
            parts = halves(data)
        else:
            images, masks = arguments.test
            parts = data, image_masks(images, masks, size)
        void = arguments.void
        classes = arguments.classes or max(part.classes(void) for part in parts)
        print(f"{len(parts[0]) + len(parts[1])} photographs, {classes} classes")
        for what, network in measured.networks(arguments, backbone):
            print(f"{what}:")
            overlaps = [segmentation_score(network, *parts, classes, void=void)]
            if arguments.fine_tune is not None:
                steps, seed = arguments.fine_tune, arguments.seed
                overlaps.append(
                    fine_tuned_segmentation(network, *parts, classes, steps, void=void, seed=seed)
                )
            for overlap, prefix in zip(overlaps, ("", "fine_tuned_"), strict=False):
                print(f"  {overlap}")
                for each in _found(overlap, len(parts[0]), prefix):
                    rows.append(measured.row(what, each, settings))
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


def _found(overlap: Overlap, labels: int, prefix: str) -> Iterator[Measured]:
    images = len(overlap.confusions)
    yield Measured(f"{prefix}miou", overlap.mean, images, overlap.standard_error, labels=labels)
    for label, value in enumerate(overlap.by_class):
        if not np.isnan(value):
            yield Measured(f"{prefix}iou_{label}", float(value), images, labels=labels)
