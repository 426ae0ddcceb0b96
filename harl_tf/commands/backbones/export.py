"""``python -m harl_tf export``: a trained backbone in the format of another tool.

Owns which format a file or folder name means. The formats are up to ``harl_tf.export``.
"""

import argparse
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import keras

from harl_tf.commands.refusal import CommandError
from harl_tf.export import export_keras, export_litert, export_onnx, export_preset
from harl_tf.zoo import StartError, open_backbone

_SIZE = 224
"""Side of the images of formats that need one."""


class Format(NamedTuple):
    """A format to write.

    Attributes:
        write: Writes a backbone to a path; for images of a side, None if none was given.
        opened: The Python expression that opens it.
    """

    write: Callable[[keras.Model, pathlib.Path, int | None], pathlib.Path]
    opened: str


FORMATS = {
    "": Format(export_preset, 'keras_hub.models.Backbone.from_preset("{}")'),
    ".keras": Format(
        lambda backbone, path, side: export_keras(backbone, path),
        'keras.saving.load_model("{}")',
    ),
    ".tflite": Format(
        lambda backbone, path, side: export_litert(backbone, path, side or _SIZE),
        'tf.lite.Interpreter("{}")',
    ),
    ".onnx": Format(
        lambda backbone, path, side: export_onnx(backbone, path, side or _SIZE),
        'onnxruntime.InferenceSession("{}")',
    ),
}
"""By the ending of a name; one without is the folder of a preset."""


def run(arguments: argparse.Namespace) -> None:
    """Opens a backbone and writes it."""
    out = pathlib.Path(arguments.out)
    if out.suffix not in FORMATS:
        raise CommandError(
            f"Expected OUT to end in {', '.join(filter(None, FORMATS))}, or to be a folder for a "
            f"KerasHub preset. Received: {out}."
        )
    try:
        backbone = open_backbone(arguments.backbone, arguments.from_values)
    except StartError as error:
        raise CommandError(str(error)) from error
    form = FORMATS[out.suffix]
    print(f"{form.write(backbone, out, arguments.image_size)}: {form.opened.format(out)}")
