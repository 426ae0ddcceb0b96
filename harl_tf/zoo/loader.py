"""Loading an exported backbone as Keras layers."""

import pathlib

import keras

from harl_tf.backbones import rebuild
from harl_tf.backbones.copying import batch_normalizations
from harl_tf.export import artifact
from harl_tf.layers import FusedBatchNormalization


def load_backbone(
    folder: str | pathlib.Path,
    train_batch_norm: bool = True,
    synchronized: bool = True,
    dtype: str | None = None,
) -> keras.Model:
    """Loads an exported backbone as a functional model of Keras layers.

    Args:
        folder: Folder that ``export_backbone`` wrote. Its checksums are verified.
        train_batch_norm: Whether batch normalization is trained in fine-tuning. False freezes its
            statistics, scales and offsets, the usual choice for small batches, while the other
            layers are trained. (Passing ``training=False`` to the backbone inside a functional
            model does not freeze them: Keras's ``fit`` overrides it.) Default: True.
        synchronized: Whether batch statistics span all replicas. Default: True.
        dtype: Dtype policy of the layers, such as ``"mixed_bfloat16"``. Default: the global one.

    Returns:
        A ``keras.Model``: images ``(batch, height, width, 3)``, 0–255, to a dict of feature maps.

    Raises:
        ExportError: If a file is missing or has changed.

    Example:
        ::

            backbone = harl_tf.load_backbone("backbone")
            images = keras.Input((224, 224, 3))
            pooled = keras.layers.GlobalAveragePooling2D()(backbone(images)["P5"])
            classifier = keras.Model(images, keras.layers.Dense(10)(pooled))
    """
    folder = pathlib.Path(folder)
    artifact.check(folder)
    native = keras.saving.load_model(folder / artifact.NATIVE, compile=False)
    policy = dtype or keras.config.dtype_policy().name
    backbone = rebuild(native, FusedBatchNormalization, synchronized=synchronized, dtype=policy)
    for layer in batch_normalizations(backbone):
        layer.trainable = train_batch_norm
    return backbone
