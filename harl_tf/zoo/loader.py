"""Loading an exported backbone as Keras layers."""

import pathlib

import keras

from harl_tf.backbones import FeaturePyramid, FrozenBatchNormalization, rebuild
from harl_tf.backbones.batch_norm_layers import batch_normalizations, inner_batch_normalizations
from harl_tf.backbones.data_format import check_channels_last
from harl_tf.export import artifact
from harl_tf.layers import FusedBatchNormalization


def load_backbone(
    folder: str | pathlib.Path,
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
        folder: Folder that ``export_backbone`` wrote. Its checksums are verified.
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
        ExportError: If a file is missing or has changed.
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
    folder = pathlib.Path(folder)
    artifact.check(folder)
    native = keras.saving.load_model(folder / artifact.NATIVE, compile=False)
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
    return FeaturePyramid(graph.input, graph.output, name=name or native.name)
