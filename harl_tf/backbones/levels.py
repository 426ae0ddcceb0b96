"""The class of every backbone in this package: a functional model whose outputs are levels."""

import functools
from collections.abc import Mapping
from typing import Any

import keras

from harl_tf.backbones.batch_norm_layers import (
    batch_normalizations,
    inner_batch_normalizations,
)
from harl_tf.backbones.strides import level_number, named_by_stride
from harl_tf.distribution import check_scope

_COARSEST = 5
"""KerasHub's detectors begin with a map of stride 32, ``P5``."""


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

    Attributes:
        origin: The KerasHub backbone that it was made from, as JSON of
            ``keras.saving.serialize_keras_object``; None for another network. By it, an export
            finds the way back to KerasHub's own class.

    Example:
        >>> sorted(resnet(18).pyramid_outputs)
        ['P2', 'P3', 'P4', 'P5']
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.origin: str | None = None
        in_graph = batch_normalizations(self)
        synchronized = all(layer.synchronized for layer in in_graph)
        for layer in inner_batch_normalizations(self):
            layer.synchronized = synchronized

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the maps, or makes them part of another model.

        Raises:
            ValueError: If that other model is made in the scope of a strategy in which this one
                was not.
        """
        if any(isinstance(each, keras.KerasTensor) for each in keras.tree.flatten((args, kwargs))):
            check_scope(self.weights, "a backbone")
        return super().__call__(*args, **kwargs)

    @property
    def pyramid_outputs(self) -> dict[str, keras.KerasTensor]:
        """The feature maps by level, as in KerasHub's backbones, which build on them.

        ``P<n>`` has a cell per ``2**n`` pixels, whatever its name among the outputs. Levels that
        are missing up to ``P5`` are every second cell of the one before, as in feature pyramid
        networks (Lin et al. 2017, Feature Pyramid Networks for Object Detection, footnote 2).

        Raises:
            ValueError: In the scope of a strategy in which this model was not made.
        """
        check_scope(self.weights, "a backbone")
        return self._completed

    @functools.cached_property
    def _completed(self) -> dict[str, keras.KerasTensor]:
        return completed(self.inputs[0], self.output)

    def get_config(self) -> dict[str, Any]:
        """The configuration, with ``origin`` if there is one."""
        origin = {} if self.origin is None else {"origin": self.origin}
        return {**super().get_config(), **origin}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "FeaturePyramid":
        """Makes a model of its configuration."""
        origin = config.get("origin")
        graph = {key: value for key, value in config.items() if key != "origin"}
        model = super().from_config(graph, custom_objects)
        model.origin = origin
        return model


def completed(
    image: keras.KerasTensor, maps: Mapping[str, keras.KerasTensor]
) -> dict[str, keras.KerasTensor]:
    """Maps named by their strides, with every level up to ``"P5"``.

    Args:
        image: The images, ``(batch, height, width, 3)``.
        maps: Feature maps of them, from fine to coarse.

    Returns:
        The maps by level. Those that are missing at the coarse end are every second cell of the one
        before. Without a map called ``P<n>``, none are added.

    Example:
        >>> backbone = resnet(18, output_stride=16)
        >>> list(completed(backbone.input, backbone.output))
        ['P2', 'P3', 'P4', 'P5']
    """
    found = named_by_stride(image, maps)
    numbers = [level for name in found if (level := level_number(name)) is not None]
    for level in range(max(numbers), _COARSEST) if numbers else ():
        finer = found[f"P{level}"]
        halved = keras.layers.MaxPooling2D(
            1, strides=2, padding="same", dtype=finer.dtype, name=f"added_p{level + 1}"
        )
        found[f"P{level + 1}"] = halved(finer)
    return found
