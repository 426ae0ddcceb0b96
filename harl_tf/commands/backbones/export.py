"""``python -m harl_tf export``: a trained backbone in the format of another tool.

Owns which format a file or folder name means. The formats are up to ``harl_tf.export``.
"""

import argparse
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import keras

from harl_tf.commands.opening import backbone_of, opened, size_for
from harl_tf.commands.photographs import check_parent
from harl_tf.commands.refusal import CommandError
from harl_tf.export import artifact, export_keras, export_litert, export_onnx, export_preset

_SIZE = 224
"""Side of the images of formats that need one."""


def _size(backbone: keras.Model) -> int:
    side: int | None = backbone.inputs[0].shape[1]
    return side or _SIZE


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
        lambda backbone, path, side: export_litert(backbone, path, side or _size(backbone)),
        'tf.lite.Interpreter("{}")',
    ),
    ".onnx": Format(
        lambda backbone, path, side: export_onnx(backbone, path, side or _size(backbone)),
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
    _check_elsewhere(out, arguments.backbone)
    start = opened(arguments.backbone, arguments.from_values)
    size = None if arguments.image_size is None else size_for(start, arguments.image_size)
    form = FORMATS[out.suffix]
    print(f"{form.write(backbone_of(start), out, size)}: {form.opened.format(out)}")


def _check_elsewhere(out: pathlib.Path, source: str) -> None:
    """Refuses to write over the source, or into an export, whose checksums would be wrong then."""
    if out.exists() and pathlib.Path(source).exists() and out.samefile(source):
        raise CommandError(f"{out} is what is to be exported; choose another name for the result.")
    if (out.parent / artifact.CHECKSUMS).is_file():
        raise CommandError(f"{out.parent} is an exported backbone; write {out.name} elsewhere.")
    check_parent(out)
