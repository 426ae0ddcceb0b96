"""The arguments of the commands that use trained backbones; nothing here does any work."""

from typing import Any

from harl_tf.commands.backbones import classify, export, predict
from harl_tf.commands.options import BACKBONE, CLASSES, add_image_size, add_values
from mask_generation.commands import line


def add_classify(commands: Any) -> line.Parser:
    """Adds ``classify`` to the commands, and returns its parser."""
    command = commands.add_parser(
        "classify", help="make a classifier of class folders and a trained backbone"
    )
    command.add_argument("folder", metavar="CLASS_FOLDERS", help=CLASSES)
    command.add_argument("backbone", metavar="BACKBONE", help=BACKBONE)
    command.add_argument("out", metavar="OUT", help="folder for the classifier")
    add_image_size(command)
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


def add_export(commands: Any) -> line.Parser:
    """Adds ``export`` to the commands, and returns its parser."""
    command = commands.add_parser("export", help="write a trained backbone in another format")
    command.add_argument(
        "backbone",
        metavar="BACKBONE",
        help=BACKBONE,
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
        help="side of the images, fixed in .tflite and .onnx (default: that of the pretraining's "
        "probes, or 224); that to which a preset resizes (default: it does not)",
    )
    add_values(command)
    command.set_defaults(run=export.run)
    return command
