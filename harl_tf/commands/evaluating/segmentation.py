"""``python -m harl_tf evaluate-segmentation``: what of it is in frozen cells, and fine-tuned."""

import argparse
from collections.abc import Iterator

import keras
import numpy as np

from harl_tf.backbones import strides
from harl_tf.commands.evaluating import measured
from harl_tf.commands.evaluating.halves import first_half
from harl_tf.commands.opening import backbone_of, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.evaluation import (
    ImageMasks,
    Measured,
    Overlap,
    fine_tuned_segmentation,
    image_masks,
    segmentation_score,
)
from harl_tf.evaluation.dense.overlap import VOID
from harl_tf.evaluation.fine_tuned.segmenter import check_segmenter


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone and prints, and perhaps writes, what was measured."""
    start = measured.start_of(arguments)
    backbone = backbone_of(start)
    fixed = backbone.inputs[0].shape[1] is not None
    scaled = fixed or arguments.image_size is not None or arguments.fine_tune is not None
    coarsest = max(strides(backbone).values())
    size = size_for(start, arguments.image_size, multiple=coarsest) if scaled else None
    try:
        if arguments.fine_tune is not None and size is not None:
            check_segmenter(backbone, (size, size))  # now, and not after the frozen cells
        data = image_masks(arguments.images, arguments.masks, size)
        if arguments.test is None:
            parts = halves(data)
        else:
            images, masks = arguments.test
            parts = data, image_masks(images, masks, size)
        void = arguments.void
        classes = arguments.classes or max(part.classes(void) for part in parts)
        if classes < 2:
            binary = (
                f", and void ({void}), which does not count. In masks of 0 and 255, write 1 for 255"
            )
            raise CommandError(
                f"Expected at least two classes in {arguments.masks}. Received: {classes}"
                f"{binary if void == VOID else ''}."
            )
        print(f"{len(parts[0]) + len(parts[1])} photographs, {classes} classes")
        with measured.table(arguments.csv) as rows:
            for what, network in measured.networks(arguments, backbone):
                print(f"{what}:")
                for overlap, prefix, steps in _overlaps(network, parts, classes, arguments):
                    print(f"  {overlap}")
                    settings = {"image_size": size, "seed": arguments.seed, "steps": steps}
                    for each in _found(overlap, len(parts[0]), prefix):
                        rows.append(measured.row(what, each, settings))
    except ValueError as error:  # files of the user
        raise CommandError(str(error)) from error


def _overlaps(
    network: keras.Model,
    parts: tuple[ImageMasks, ImageMasks],
    classes: int,
    arguments: argparse.Namespace,
) -> Iterator[tuple[Overlap, str, int | None]]:
    """Of frozen cells, and fine-tuned: what its names begin with, and the length."""
    void, steps = arguments.void, arguments.fine_tune
    yield segmentation_score(network, *parts, classes, void=void), "", None
    if steps is not None:
        seed = arguments.seed
        found = fine_tuned_segmentation(network, *parts, classes, steps, void=void, seed=seed)
        yield found, "fine_tuned_", steps


def halves(data: ImageMasks) -> tuple[ImageMasks, ImageMasks]:
    """Photographs to learn from and others to score, by a hash of their names.

    Raises:
        CommandError: If there are too few.
    """
    first = first_half(data.names, f"Expected photographs for two halves. Received: {len(data)}.")
    return data.only(first.tolist()), data.only((~first).tolist())


def _found(overlap: Overlap, labels: int, prefix: str) -> Iterator[Measured]:
    images = len(overlap.confusions)
    yield Measured(f"{prefix}miou", overlap.mean, images, overlap.standard_error, labels=labels)
    for label, value in enumerate(overlap.by_class):
        if not np.isnan(value):
            yield Measured(f"{prefix}iou_{label}", float(value), images, labels=labels)
