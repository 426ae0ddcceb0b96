"""The class of every backbone in this package: a functional model whose outputs are levels."""

from typing import Any

import keras

from harl_tf.backbones.batch_norm_layers import (
    batch_normalizations,
    inner_batch_normalizations,
)


@keras.saving.register_keras_serializable(package="harl_tf")
class FeaturePyramid(keras.Model):
    """A functional ``keras.Model`` from images to a dict of feature maps.

    KerasHub's detectors and segmenters (``RetinaNetBackbone``, ``DeepLabV3Backbone``) take it as
    their ``image_encoder``. Batch normalization inside composite layers, of which a saved network
    only keeps the outer layer, is synchronized across replicas like that in the graph.

    Args:
        inputs: The images, a ``keras.KerasTensor`` of shape ``(batch, height, width, 3)``.
        outputs: The feature maps by level, ``(batch, height, width, channels)`` each.
        name: Name of the model. Default: chosen by Keras.
        **kwargs: Further arguments of ``keras.Model``.

    Example:
        >>> sorted(resnet(18).pyramid_outputs)
        ['P2', 'P3', 'P4', 'P5']
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, name=name, **kwargs)
        in_graph = batch_normalizations(self)
        synchronized = all(layer.synchronized for layer in in_graph)
        for layer in inner_batch_normalizations(self):
            layer.synchronized = synchronized

    @property
    def pyramid_outputs(self) -> dict[str, keras.KerasTensor]:
        """The feature maps by level, as in KerasHub's backbones."""
        return dict(self.output)
