"""``--from-values``: the pixel values that a network was trained with."""

from harl_tf.zoo import VALUES
from mask_generation.commands import line


def add_values(command: line.Parser) -> None:
    """Adds the option to a command that opens a backbone."""
    command.add_argument(
        "--from-values",
        type=line.one_of(*VALUES),
        metavar="V",
        help="pixel values that BACKBONE was trained with, if it does not say so itself: raw "
        "(0 to 255), unit (0 to 1), signed (-1 to 1), imagenet (minus ImageNet's mean, divided by "
        "its deviation) or caffe (BGR minus ImageNet's mean)",
    )
