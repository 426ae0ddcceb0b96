"""The backbone that a command is given, and the size of the images for it."""

import argparse

import keras

from harl_tf.commands.refusal import CommandError
from harl_tf.zoo import Start, StartError, open_start


def opened(arguments: argparse.Namespace) -> Start:
    """Opens what a command line names as ``BACKBONE``.

    Raises:
        CommandError: If it cannot be opened.
    """
    try:
        return open_start(arguments.backbone, arguments.from_values)
    except StartError as error:
        raise CommandError(str(error)) from error


def size_for(start: Start, asked_for: int | None) -> int:
    """Side of the images.

    Args:
        start: The opened backbone.
        asked_for: What ``--image-size`` says.

    Raises:
        CommandError: If the network takes another size only.

    Example:
        >>> size_for(Start("mine", "", False, resnet(18)), None)
        224
    """
    height, width = start.network.inputs[0].shape[1:3]
    size = asked_for or height or start.size
    if (height or size, width or size) != (size, size):
        fixed = f"use --image-size {height}" if height == width else "which no command cuts"
        raise CommandError(
            f"{start.source} takes images of {height}×{width} pixels only, not {size}; {fixed}."
        )
    return size


def backbone_of(start: Start) -> keras.Model:
    """The backbone, in float32; says so if the pixel values that it takes were assumed."""
    if start.assumed:
        print(f"note: {start.words}; --from-values says otherwise")
    return start.backbone()
