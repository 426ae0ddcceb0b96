"""The arguments of the commands for trained backbones; nothing here does any work."""

from typing import Any

from harl_tf.commands.backbones import classify, evaluate, export, predict, segmentation
from harl_tf.commands.pixel_values import add_values
from harl_tf.evaluation import EVALUATORS
from mask_generation.commands import line

_CLASSES = (
    "one subfolder per class, or whatever else `mask_generation convert` takes with classes (a "
    "list, tar files, tfds:NAME), or records"
)
_BACKBONE = (
    "a run or its backbone/, the name of a preset (python -m harl_tf presets), a KerasHub preset, "
    "or a .keras file of a whole model"
)


def _seed(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def add_evaluate(commands: Any) -> line.Parser:
    """Adds ``evaluate`` to the commands, and returns its parser."""
    command = commands.add_parser(
        "evaluate", help="measure what a backbone's frozen features are worth"
    )
    command.add_argument("backbone", metavar="BACKBONE", help=_BACKBONE)
    command.add_argument("folder", metavar="CLASS_FOLDERS", help=_CLASSES)
    command.add_argument(
        "test",
        metavar="TEST_FOLDERS",
        nargs="?",
        help="the same classes, to score (default: half of CLASS_FOLDERS, by a hash of the name)",
    )
    command.add_argument(
        "--with",
        dest="evaluations",
        metavar="NAMES",
        help=f"evaluations, separated by commas (default: {','.join(EVALUATORS)})".replace(
            "%", "%%"
        ),
    )
    _add_measured(command)
    _add_image_size(command)
    add_values(command)
    command.set_defaults(run=evaluate.run, evaluations=",".join(EVALUATORS), seed=0)
    return command


def add_evaluate_segmentation(commands: Any) -> line.Parser:
    """Adds ``evaluate-segmentation`` to the commands, and returns its parser."""
    command = commands.add_parser(
        "evaluate-segmentation", help="measure what of a segmentation is in a backbone's cells"
    )
    command.add_argument("backbone", metavar="BACKBONE", help=_BACKBONE)
    command.add_argument("images", metavar="IMAGES", help="folder of photographs")
    command.add_argument(
        "masks",
        metavar="MASKS",
        help="folder of label maps with the same names, whose pixels are class numbers, 255 for "
        "void; half of the photographs, by a hash of the name, are scored",
    )
    command.add_argument(
        "--classes", type=line.natural, metavar="N", help="number of classes (default: as found)"
    )
    command.add_argument(
        "--image-size",
        type=line.natural,
        metavar="N",
        help="side to which photographs and label maps are scaled (default: as they are)",
    )
    _add_measured(command)
    add_values(command)
    command.set_defaults(run=segmentation.run, seed=0)
    return command


def _add_measured(command: line.Parser) -> None:
    command.add_argument(
        "--random",
        action="store_true",
        help="also measure the same network at random initialization",
    )
    command.add_argument("--csv", metavar="FILE", help="table to write (default: none)")
    command.add_argument("--seed", type=_seed, metavar="N", help="random seed (default: 0)")


def add_classify(commands: Any) -> line.Parser:
    """Adds ``classify`` to the commands, and returns its parser."""
    command = commands.add_parser(
        "classify", help="make a classifier of class folders and a trained backbone"
    )
    command.add_argument("folder", metavar="CLASS_FOLDERS", help=_CLASSES)
    command.add_argument("backbone", metavar="BACKBONE", help=_BACKBONE)
    command.add_argument("out", metavar="OUT", help="folder for the classifier")
    _add_image_size(command)
    add_values(command)
    command.set_defaults(run=classify.run)
    return command


def add_predict(commands: Any) -> line.Parser:
    """Adds ``predict`` to the commands, and returns its parser."""
    command = commands.add_parser("predict", help="classify the photographs of a folder")
    command.add_argument("folder", metavar="PHOTOS", help="a folder, a list, a tar, tfds:NAME")
    command.add_argument("classifier", metavar="CLASSIFIER", help="folder that classify wrote")
    command.add_argument("out", metavar="OUT", help="table to write, NAME.csv")
    command.set_defaults(run=predict.run)
    return command


def _add_image_size(command: line.Parser) -> None:
    command.add_argument(
        "--image-size",
        type=line.natural,
        metavar="N",
        help="side of the central square of a photograph, in pixels (default: the size that the "
        "network is fixed to, that of its pretraining's probes if it is ours, or 224)",
    )


def add_export(commands: Any) -> line.Parser:
    """Adds ``export`` to the commands, and returns its parser."""
    command = commands.add_parser("export", help="write a trained backbone in another format")
    command.add_argument(
        "backbone",
        metavar="BACKBONE",
        help=_BACKBONE,
    )
    command.add_argument(
        "out",
        metavar="OUT",
        help="NAME.keras (plain Keras), NAME.tflite (LiteRT), NAME.onnx (ONNX), or a folder to "
        "create (KerasHub preset)",
    )
    command.add_argument(
        "--image-size",
        type=line.natural,
        metavar="N",
        help="side of the images, fixed in .tflite and .onnx (default: 224); that to which a "
        "preset resizes (default: it does not)",
    )
    add_values(command)
    command.set_defaults(run=export.run)
    return command
