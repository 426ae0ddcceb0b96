"""Exporting a pretrained backbone for fine-tuning."""

import json
import pathlib

import keras
import tensorflow as tf

from harl_tf import files
from harl_tf.export import artifact
from harl_tf.export.card import Card, describe, render
from harl_tf.export.checksums import write_checksums
from harl_tf.export.native import plain
from harl_tf.pretraining import Pretraining
from harl_tf.pretraining.finite import first_not_finite


def export_backbone(
    model: keras.Model,
    folder: str | pathlib.Path,
    card: Card | None = None,
    overwrite: bool = False,
) -> pathlib.Path:
    """Writes a backbone as a SavedModel with native weights, metadata, card and checksums.

    The SavedModel has the endpoints ``serve`` for inference (``serving_default`` in TensorFlow
    Serving), ``serve_uint8``, the same for bytes, and ``serve_training``, which uses batch
    statistics and updates the moving averages, so that fine-tuning does not silently keep the
    statistics of the pretraining data. The network is written in float32 with plain Keras layers,
    whatever precision and batch normalization it was trained with, and every layer is trainable.

    Args:
        model: A pretraining model, or a backbone as ``load_backbone`` and ``open_backbone`` return.
            Call this outside of any strategy's scope.
        folder: Folder to create; it only appears once everything in it is written.
        card: Information about the weights for the model card. Default: only the settings.
        overwrite: Whether to replace an older export in the folder. Default: False.

    Returns:
        The folder.

    Raises:
        ExportError: If the folder exists and ``overwrite`` is False, or it contains anything but an
            older export, or a weight of the backbone is NaN or infinite.

    Example:
        ::

            harl_tf.export_backbone(model, "backbone", harl_tf.export.Card(data="my photographs"))
            backbone = harl_tf.load_backbone("backbone")
    """
    folder = pathlib.Path(folder)
    if folder.exists() and not overwrite:
        raise artifact.ExportError(
            f"{folder} exists. Choose another folder or pass overwrite=True."
        )
    artifact.check_disposable(folder)
    trained = model.backbone if isinstance(model, Pretraining) else model
    artifact.check_maps(trained, "Use export_keras or export_litert for a whole classifier")
    _refuse_not_finite(trained)
    backbone = plain(trained)
    facts = describe(model, backbone, card or Card())
    with files.whole_folder(folder) as partial:
        _write_saved_model(backbone, partial)
        backbone.save(partial / artifact.NATIVE)
        text = json.dumps(facts, indent=1)
        (partial / artifact.METADATA).write_text(text + "\n", encoding="utf-8")
        (partial / artifact.CARD).write_text(render(facts), encoding="utf-8")
        write_checksums(partial, artifact.CHECKSUMS)
    return folder


def _refuse_not_finite(backbone: keras.Model) -> None:
    path = first_not_finite(backbone)
    if path is not None:
        raise artifact.ExportError(
            f"Expected finite weights. Received: NaN or infinity in {path}; nothing was written. "
            "Export a checkpoint from before the training diverged."
        )


def _write_saved_model(backbone: keras.Model, folder: pathlib.Path) -> None:
    archive = keras.export.ExportArchive()
    for kind in ("variables", "trainable_variables", "non_trainable_variables"):
        # TensorFlow's variables, which the endpoints use. ``archive.track`` would store Keras's as
        # well: every weight twice, and the listed ones would not be those that are used.
        archive.add_variable_collection(kind, [v.value for v in getattr(backbone, kind)])
    images = [tf.TensorSpec(backbone.input.shape, tf.float32, name="images")]
    archive.add_endpoint(artifact.SERVE, lambda x: backbone(x, training=False), images)
    archive.add_endpoint(artifact.SERVE_TRAINING, lambda x: backbone(x, training=True), images)
    as_bytes = [tf.TensorSpec(backbone.input.shape, tf.uint8, name="images")]
    archive.add_endpoint(
        artifact.SERVE_UINT8,
        lambda x: backbone(tf.cast(x, tf.float32), training=False),
        as_bytes,
    )
    archive.write_out(str(folder), verbose=False)
