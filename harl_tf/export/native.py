"""A backbone as one file of plain Keras."""

import os
import pathlib
import tempfile

import keras

from harl_tf import files
from harl_tf.backbones import rebuild
from harl_tf.export.artifact import path_of_kind
from harl_tf.precision import dtype_policy


def export_keras(backbone: keras.Model, path: str | os.PathLike[str]) -> pathlib.Path:
    """Writes a backbone as a ``.keras`` file of float32 that opens without harl_tf.

    Every layer in the file is trainable, whatever it was in training.

    Args:
        backbone: A backbone of this package, or any functional model around one.
        path: File to write, ``NAME.keras``; an older one is replaced.

    Returns:
        The path.

    Raises:
        ExportError: If the path has another ending.

    Example:
        ::

            harl_tf.export.export_keras(harl_tf.load_backbone("BACKBONE"), "backbone.keras")
            backbone = keras.saving.load_model("backbone.keras")
    """
    path = path_of_kind(path, ".keras")
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, path.name)
        plain(backbone).save(made)
        files.write_bytes(path, made.read_bytes())
    return path


def plain(backbone: keras.Model) -> keras.Model:
    """A copy in float32 of plain Keras layers, all of them trained.

    Example:
        >>> copy = plain(harl_tf.backbones.small_resnet(10, width=8))
        >>> type(copy).__module__.split(".")[0], copy.trainable
        ('keras', True)
    """
    with dtype_policy("float32"):
        copy = rebuild(backbone, keras.layers.BatchNormalization, dtype="float32")
    # Layer by layer: Keras skips the assignment on a model that says True already.
    for layer in copy._flatten_layers(include_self=False):
        layer.trainable = True
    return copy
