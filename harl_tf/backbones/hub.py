"""Any feature pyramid as a backbone of KerasHub, with the classes that its presets need.

Owns what KerasHub asks of a backbone: one output beside ``pyramid_outputs``, a class of its own,
and an image converter and a classifier for that class. A network that KerasHub has a class for does
not need this (``harl_tf.export.export_preset``).
"""

from typing import Any

import keras
import keras_hub

from harl_tf.backbones.copying import rebuild
from harl_tf.backbones.levels import completed


@keras.saving.register_keras_serializable(package="harl_tf")
class PyramidBackbone(keras_hub.models.FeaturePyramidBackbone):
    """A functional model from images to a dict of maps, as KerasHub's models take it.

    The output is the last map; ``pyramid_outputs`` has all of them, and further levels up to
    ``"P5"`` as ``FeaturePyramid`` has. A preset of it opens where harl_tf is imported.

    Args:
        network: The functional model, of Keras's own layers.
        dtype: Dtype policy of its layers. Default: as they are.
        **kwargs: Further arguments of ``keras_hub.models.Backbone``.

    Example:
        >>> backbone = PyramidBackbone(harl_tf.backbones.small_resnet(10, width=8))
        >>> backbone(np.zeros((1, 64, 64, 3))).shape.as_list(), list(backbone.pyramid_outputs)
        ([1, 4, 4, 64], ['P1', 'P2', 'P3', 'P4', 'P5'])
    """

    def __init__(self, network: keras.Model, dtype: Any = None, **kwargs: Any) -> None:
        policy = None if dtype is None else keras.dtype_policies.get(dtype).name
        network = rebuild(network, keras.layers.BatchNormalization, dtype=policy)
        image = network.inputs[0]
        super().__init__(
            inputs=image, outputs=list(network.output.values())[-1], dtype=dtype, **kwargs
        )
        self.network = network
        self.pyramid_outputs = completed(image, network.output)

    def get_config(self) -> dict[str, Any]:
        """The configuration, the network's included."""
        return {
            **super().get_config(),
            "network": keras.saving.serialize_keras_object(self.network),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "PyramidBackbone":
        """Makes a backbone of its configuration."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return super().from_config({**config, "network": network})


@keras.saving.register_keras_serializable(package="harl_tf")
class PyramidImageConverter(keras_hub.layers.ImageConverter):
    """The image converter of a ``PyramidBackbone``, which normalizes images by itself.

    Args:
        *args: Those of ``keras_hub.layers.ImageConverter``.
        **kwargs: Likewise.

    Example:
        >>> PyramidImageConverter(image_size=(32, 32))(np.zeros((1, 64, 96, 3))).shape
        TensorShape([1, 32, 32, 3])
    """

    backbone_cls = PyramidBackbone


@keras.saving.register_keras_serializable(package="harl_tf")
class PyramidImageClassifierPreprocessor(keras_hub.models.ImageClassifierPreprocessor):
    """The preprocessor of a ``PyramidImageClassifier``.

    Args:
        *args: Those of ``keras_hub.models.ImageClassifierPreprocessor``.
        **kwargs: Likewise.

    Example:
        >>> preprocess = PyramidImageClassifierPreprocessor(PyramidImageConverter((32, 32)))
        >>> preprocess(np.zeros((1, 64, 96, 3))).shape
        TensorShape([1, 32, 32, 3])
    """

    backbone_cls = PyramidBackbone
    image_converter_cls = PyramidImageConverter


@keras.saving.register_keras_serializable(package="harl_tf")
class PyramidImageClassifier(keras_hub.models.ImageClassifier):
    """What ``keras_hub.models.ImageClassifier.from_preset`` makes of a ``PyramidBackbone``.

    Args:
        *args: Those of ``keras_hub.models.ImageClassifier``.
        **kwargs: Likewise.

    Example:
        >>> backbone = PyramidBackbone(harl_tf.backbones.small_resnet(10, width=8))
        >>> PyramidImageClassifier(backbone, num_classes=3)(np.zeros((1, 32, 32, 3))).shape
        TensorShape([1, 3])
    """

    backbone_cls = PyramidBackbone
    preprocessor_cls = PyramidImageClassifierPreprocessor
