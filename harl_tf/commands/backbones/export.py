"""``python -m harl_tf export``: a trained backbone in the format of another tool.

Owns which format a file or folder name means. The formats are up to ``harl_tf.export``.
"""

import argparse
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import keras

from harl_tf.commands.backbones import classify
from harl_tf.commands.opening import backbone_of, opened, size_for
from harl_tf.commands.photographs import check_parent
from harl_tf.commands.refusal import CommandError
from harl_tf.export import artifact, export_keras, export_litert, export_onnx, export_preset


class Format(NamedTuple):
    """A format to write.

    Attributes:
        write: Writes a backbone to a path; for images of a side, None if none was given.
        opened: The Python expression that opens it.
        of_one_size: Whether it is for images of one size, and of a whole classifier. Default:
            False.
    """

    write: Callable[[keras.Model, pathlib.Path, int | None], pathlib.Path]
    opened: str
    of_one_size: bool = False


def _known(side: int | None) -> int:
    assert side is not None
    return side


FORMATS = {
    "": Format(export_preset, 'keras_hub.models.Backbone.from_preset("{}")'),
    ".keras": Format(
        lambda backbone, path, side: export_keras(backbone, path),
        'keras.saving.load_model("{}")',
    ),
    ".tflite": Format(
        lambda backbone, path, side: export_litert(backbone, path, _known(side)),
        'tf.lite.Interpreter("{}")',
        of_one_size=True,
    ),
    ".onnx": Format(
        lambda backbone, path, side: export_onnx(backbone, path, _known(side)),
        'onnxruntime.InferenceSession("{}")',
        of_one_size=True,
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
    form = FORMATS[out.suffix]
    network, size = _network(arguments, form)
    print(f"{form.write(network, out, size)}: {form.opened.format(out)}")


def _network(arguments: argparse.Namespace, form: Format) -> tuple[keras.Model, int | None]:
    """What is written, and for images of which side."""
    if form.of_one_size and (pathlib.Path(arguments.backbone) / classify.FACTS).is_file():
        classifier, _, side = classify.opened_classifier(pathlib.Path(arguments.backbone))
        return classifier, side
    start = opened(arguments.backbone, arguments.from_values)
    asked_for = arguments.image_size is not None
    size = size_for(start, arguments.image_size) if asked_for or form.of_one_size else None
    if form.of_one_size and not asked_for:
        print(f"for images of {size}×{size} pixels; --image-size for others")
    return backbone_of(start), size


def _check_elsewhere(out: pathlib.Path, source: str) -> None:
    """Refuses to write over the source, or into an export, whose checksums would be wrong then."""
    if out.exists() and pathlib.Path(source).exists() and out.samefile(source):
        raise CommandError(f"{out} is what is to be exported; choose another name for the result.")
    if (out.parent / artifact.CHECKSUMS).is_file():
        raise CommandError(f"{out.parent} is an exported backbone; write {out.name} elsewhere.")
    check_parent(out)
