"""A backbone as a LiteRT file, for telephones and small computers."""

import os
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from harl_tf import files
from harl_tf.export.agreement import Maps, check_agreement
from harl_tf.export.artifact import path_of_kind
from harl_tf.export.fixed_size import converted, of_one_size


def export_litert(
    backbone: keras.Model, path: str | os.PathLike[str], image_size: int = 224
) -> pathlib.Path:
    """Writes a backbone as a LiteRT file of float32 weights, for one image at a time.

    Args:
        backbone: A backbone of this package, such as ``load_backbone`` returns, or a functional
            model of one image around one, such as a classifier.
        path: File to write, ``NAME.tflite``; an older one is replaced.
        image_size: Side of the images, which is fixed in the file, in pixels. Default: 224.

    Returns:
        The path. Its signature ``serving_default`` takes ``images``, float32
        ``(1, image_size, image_size, 3)``, 0–255, and returns the maps by level.

    Raises:
        ExportError: If the path has another ending, the network cannot be converted, or the file
            would compute something else.

    Example:
        ::

            harl_tf.export.export_litert(harl_tf.load_backbone("BACKBONE"), "backbone.tflite", 96)
    """
    path = path_of_kind(path, ".tflite")
    network = of_one_size(backbone, image_size)
    content = converted(network, "litert", path.name)
    check_agreement(backbone, _interpreted(content), image_size, "The LiteRT file")
    files.write_bytes(path, content)
    return path


def _interpreted(content: bytes) -> Callable[[np.ndarray], Maps]:
    interpreter = tf.lite.Interpreter(model_content=content)
    run = interpreter.get_signature_runner(next(iter(interpreter.get_signature_list())))
    return lambda images: run(images=images)
