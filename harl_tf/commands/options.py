"""What several commands take, described once; nothing here does any work."""

from harl_tf.zoo import VALUES
from mask_generation.commands import line

CLASSES = (
    "one subfolder per class, or whatever else `mask_generation convert` takes with classes (a "
    "list, tar files, tfds:NAME), or records"
)
BACKBONE = (
    "a run or its backbone/, the name of a preset (python -m harl_tf presets), a KerasHub preset, "
    "or a .keras file of a whole model"
)


def add_image_size(command: line.Parser) -> None:
    """Adds the option to a command that looks at photographs."""
    command.add_argument(
        "--image-size",
        type=line.natural,
        metavar="N",
        help="side of the central square of a photograph, in pixels (default: the size that the "
        "network is fixed to, that of its pretraining's probes if it is ours, or 224)",
    )


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
