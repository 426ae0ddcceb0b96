"""The backbone that a command is given, and the size of the images for it."""

import keras

from harl_tf.commands.refusal import CommandError
from harl_tf.zoo import Start, StartError, open_start


def opened(source: str, values: str | None) -> Start:
    """Opens what a command line names as ``BACKBONE``.

    Args:
        source: What it names.
        values: What ``--from-values`` says.

    Raises:
        CommandError: If it cannot be opened.
    """
    try:
        return open_start(source, values)
    except StartError as error:
        raise CommandError(str(error)) from error


def size_for(start: Start, asked_for: int | None, multiple: int = 1) -> int:
    """Side of the images.

    Args:
        start: The opened backbone.
        asked_for: What ``--image-size`` says.
        multiple: What the side is a multiple of if nothing is asked for and the network takes any.
            Default: 1.

    Raises:
        CommandError: If the network takes another size only.

    Example:
        >>> size_for(Start("mine", "", False, resnet(18)), None)
        224
        >>> size_for(Start("mine", "", False, resnet(18), size=85), None, multiple=32)
        96
    """
    free = max(round(start.size / multiple), 1) * multiple
    size: int = asked_for or start.network.inputs[0].shape[1] or free
    check_size(start, size, "which no command cuts")
    return size


def check_size(start: Start, size: int, not_square: str) -> None:
    """Refuses a size of square images that a network does not take.

    Args:
        start: The opened backbone.
        size: Side of the images.
        not_square: What is said of a network whose images are no squares.

    Raises:
        CommandError: If the network takes another size only.

    Example:
        >>> check_size(Start("mine", "", False, resnet(18)), 96, "")
    """
    height, width = start.network.inputs[0].shape[1:3]
    if (height or size, width or size) != (size, size):
        fixed = f"use --image-size {height}" if height == width else not_square
        raise CommandError(
            f"{start.source} takes images of {height}×{width} pixels only, not {size}; {fixed}."
        )


def backbone_of(start: Start) -> keras.Model:
    """The backbone, in float32; says so if the pixel values that it takes were assumed."""
    if start.assumed:
        print(f"note: {start.words}; --from-values says otherwise")
    return start.backbone()
