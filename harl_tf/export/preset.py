"""A backbone as a preset of KerasHub.

Owns the way back from a feature pyramid to a class of KerasHub: the class that the network was made
from, with the normalization in the preset's image converter, or else ``PyramidBackbone``.
"""

import json
import os
import pathlib

import keras
import keras_hub

from harl_tf import files
from harl_tf.backbones import FeaturePyramid, PyramidBackbone
from harl_tf.backbones.hub import PyramidImageConverter
from harl_tf.backbones.strides import named_by_stride
from harl_tf.export.agreement import check_agreement
from harl_tf.export.artifact import ExportError, check_maps
from harl_tf.export.checksums import write_checksums
from harl_tf.export.native import plain
from harl_tf.precision import dtype_policy

PRESET_CHECKSUMS = "preset.sha256"
"""Name of our own list of the files, which KerasHub passes over."""

_PARTS = frozenset(
    (
        *("config.json", "metadata.json", "model.weights.h5", "model.weights.json", "README.md"),
        *("image_converter.json", "preprocessor.json", "task.json", "task.weights.h5", "assets"),
        PRESET_CHECKSUMS,
    )
)
"""What KerasHub writes into the folder of a preset."""


def export_preset(
    backbone: keras.Model,
    folder: str | os.PathLike[str],
    image_size: int | None = None,
    overwrite: bool = False,
) -> pathlib.Path:
    """Writes a backbone as a preset of KerasHub: ``keras_hub.models.Backbone.from_preset(folder)``.

    A network that was made from a KerasHub backbone becomes one of that class again, which opens
    without harl_tf; its image converter normalizes, as KerasHub's do. Other networks, and those
    whose maps KerasHub calls by a stride that they do not have, become a ``PyramidBackbone``, which
    opens where harl_tf is imported and normalizes by itself. Either goes into
    ``ImageClassifier.from_preset(folder, num_classes=...)``, and as ``image_encoder`` into
    ``DeepLabV3Backbone`` and ``RetinaNetBackbone``.

    Args:
        backbone: A backbone of this package, such as ``load_backbone`` returns.
        folder: Folder to create.
        image_size: Side to which the preset's image converter resizes images. Default: it does not
            resize.
        overwrite: Whether to replace a preset in the folder. Default: False.

    Returns:
        The folder.

    Raises:
        ExportError: If the folder exists and ``overwrite`` is False, or contains anything but a
            preset; or if the preset would compute something else.

    Example:
        ::

            harl_tf.export.export_preset(harl_tf.load_backbone("BACKBONE"), "PRESET")
            backbone = keras_hub.models.Backbone.from_preset("PRESET")
    """
    folder = pathlib.Path(folder)
    check_maps(backbone, "Use export_keras or export_litert for a whole classifier")
    _check_disposable(folder, overwrite)
    size = None if image_size is None else (image_size, image_size)
    with dtype_policy("float32"):
        hub, converter = _of_hub(backbone, size) or (
            PyramidBackbone(plain(backbone), name=backbone.name),
            PyramidImageConverter(size),
        )
        scales = converter.__class__(scale=converter.scale, offset=converter.offset)
        levels = {level: hub.pyramid_outputs[level] for level in backbone.output}
        maps = keras.Model(hub.inputs[0], levels)
        check_agreement(backbone, lambda images: maps(scales(images)), None, "The preset")
        with files.whole_folder(folder) as partial:
            hub.save_to_preset(str(partial))
            converter.save_to_preset(str(partial))
            write_checksums(partial, PRESET_CHECKSUMS)
    return folder


def _of_hub(
    backbone: keras.Model, size: tuple[int, int] | None
) -> tuple[keras_hub.models.Backbone, keras_hub.layers.ImageConverter] | None:
    """The network as one of KerasHub's own class; None if there is none for it."""
    if not isinstance(backbone, FeaturePyramid) or backbone.origin is None:
        return None
    origin = json.loads(backbone.origin)
    origin["config"]["dtype"] = "float32"
    hub = keras.saving.deserialize_keras_object(origin)
    maps = getattr(hub, "pyramid_outputs", None)
    if not maps or list(maps) != list(named_by_stride(hub.inputs[0], maps)):
        return None  # a transformer, or maps that it calls by strides that they do not have
    kinds = keras_hub.layers.ImageConverter.__subclasses__()
    kind = next((each for each in kinds if each.backbone_cls is type(hub)), None)
    if kind is None or not _give_weights(backbone, hub):
        return None
    normalize = next((each for each in backbone.layers if each.name == "normalize"), None)
    scale, offset = (normalize.scale, normalize.offset) if normalize is not None else (None, None)
    return hub, kind(image_size=size, scale=scale, offset=offset)


def _give_weights(backbone: keras.Model, hub: keras.Model) -> bool:
    """Copies weights layer by layer; returns whether the two networks have the same layers."""
    given = {each.name: each for each in backbone._flatten_layers() if each.weights}
    for layer in hub.layers:
        if not layer.weights:
            continue
        weights = given[layer.name].get_weights() if layer.name in given else []
        if [each.shape for each in weights] != [tuple(each.shape) for each in layer.weights]:
            return False
        layer.set_weights(weights)
    return True


def _check_disposable(folder: pathlib.Path, overwrite: bool) -> None:
    if folder.exists() and not (folder.is_dir() and (folder / "config.json").is_file()):
        raise ExportError(f"{folder} is no preset; it is left alone. Choose another folder.")
    path = files.foreign(folder, _PARTS)
    if path is not None:
        raise ExportError(
            f"{path} is not part of a preset, so {folder} is left alone. Choose another folder."
        )
    if folder.exists() and not overwrite:
        raise ExportError(f"{folder} exists. Choose another folder or pass overwrite=True.")
