"""Loading an exported backbone as Keras layers."""

import os
import pathlib
import warnings

import keras

from harl_tf.backbones import FeaturePyramid, FrozenBatchNormalization, rebuild
from harl_tf.backbones.batch_norm_layers import batch_normalizations, inner_batch_normalizations
from harl_tf.backbones.data_format import check_channels_last
from harl_tf.backbones.strides import named_by_stride
from harl_tf.export import artifact
from harl_tf.layers import FusedBatchNormalization
from harl_tf.zoo.places import folder_of


def load_backbone(
    source: str | os.PathLike[str],
    train_batch_norm: bool = True,
    synchronized: bool = True,
    dtype: str | None = None,
    name: str | None = None,
) -> keras.Model:
    """Loads an exported backbone as a functional model of Keras layers.

    To freeze it entirely, set ``backbone.trainable = False``. A model saved around it needs
    ``import harl_tf`` to be loaded; ``harl_tf.backbones.rebuild(model,
    keras.layers.BatchNormalization)`` converts it to one that opens in plain Keras.

    Args:
        source: Folder that ``export_backbone`` wrote, or a run with one in it; the name of a preset
            (``list_presets``); or the address of such a folder in a tar archive, which is
            downloaded once. Checksums are verified.
        train_batch_norm: Whether batch normalization is trained in fine-tuning. False freezes its
            statistics, scales and offsets, the usual choice for small batches, while the other
            layers are trained. They stay frozen whatever ``trainable`` is set to on the model or
            around it, and in copies and saved models. (Passing ``training=False`` to the backbone
            inside a functional model does not freeze them: Keras's ``fit`` overrides it.)
            Default: True.
        synchronized: Whether batch statistics span all replicas. Default: True.
        dtype: Dtype policy of the layers, such as ``"mixed_bfloat16"``. Default: the global one.
        name: Name of the model; two backbones in one model need different ones. Default: its name
            in pretraining.

    Returns:
        A ``harl_tf.backbones.FeaturePyramid``, a functional ``keras.Model``: images
        ``(batch, height, width, 3)``, 0–255, to a dict of feature maps. Its ``pyramid_outputs``
        make it an ``image_encoder`` for KerasHub's models.

    Raises:
        ExportError: If there is no such backbone, it cannot be downloaded, a file is missing or has
            changed, or this version of Keras cannot open it.
        ValueError: If batch normalization should be frozen but is inside composite layers, or if
            Keras is set to ``channels_first``.

    Example:
        ::

            backbone = harl_tf.load_backbone("backbone")
            images = keras.Input((224, 224, 3))
            *_, features = backbone(images).values()  # the last map
            pooled = keras.layers.GlobalAveragePooling2D()(features)
            classifier = keras.Model(images, keras.layers.Dense(10)(pooled))
    """
    check_channels_last()
    folder = folder_of(source)
    artifact.check(folder)
    native = _native(folder)
    inner = len(inner_batch_normalizations(native))
    if inner and not train_batch_norm:
        raise ValueError(
            "Expected train_batch_norm=True for a backbone with batch normalization inside "
            f"composite layers, which cannot be frozen by itself. Received: {inner} such layers "
            "and train_batch_norm=False. Set backbone.trainable = False to freeze all of it."
        )
    policy = dtype or keras.config.dtype_policy().name
    kind = FusedBatchNormalization if train_batch_norm else FrozenBatchNormalization
    graph = rebuild(native, kind, synchronized=synchronized, dtype=policy)
    for layer in batch_normalizations(graph):
        layer.trainable = train_batch_norm
    maps = named_by_stride(graph.input, graph.output)
    if list(maps) != list(graph.output):
        warnings.warn(
            f"{folder} was exported when maps were called by their stage, "
            f"{', '.join(graph.output)}; here they are called by their stride, {', '.join(maps)}.",
            stacklevel=2,
        )
    backbone = FeaturePyramid(graph.input, maps, name=name or native.name)
    backbone.origin = artifact.metadata(folder).get("origin")
    return backbone


def _native(folder: pathlib.Path) -> keras.Model:
    try:
        return keras.saving.load_model(folder / artifact.NATIVE, compile=False)
    except Exception as error:
        versions = artifact.metadata(folder)["versions"]
        with_them = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise artifact.ExportError(
            f"{folder / artifact.NATIVE} cannot be opened with Keras {keras.__version__}: "
            f"{artifact.first_line(error).rstrip('.'):.500}. It was written with "
            f"{with_them:.200}; install these versions."
        ) from error
