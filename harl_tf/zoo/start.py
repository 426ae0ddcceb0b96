"""Weights to begin a pretraining with, from any source, in the form that harl_tf trains.

Owns the way from what a source holds to a backbone: its normalization, its precision, its batch
normalization, and a digest by which the same start is recognized.
"""

import dataclasses
import hashlib
import os
import warnings

import keras
import numpy as np

from harl_tf.backbones import FeaturePyramid, feature_pyramid, rebuild
from harl_tf.layers import FusedBatchNormalization
from harl_tf.precision import dtype_policy
from harl_tf.zoo.sources import StartError, read
from harl_tf.zoo.values import VALUES, Values, reverse_channels


@dataclasses.dataclass(frozen=True)
class Start:
    """A backbone to begin with, read once; ``backbone`` makes copies of it.

    Attributes:
        source: Where it is from.
        words: What it is, in a sentence.
        assumed: Whether the values that it takes were only assumed, from its name.
        network: The backbone in float32, not to be trained itself.
        size: Side of the images, in pixels, at which its features are good: the one that the
            network is fixed to or was saved for, that of its preset's image converter, or of the
            probes in its pretraining; 224 if none is known.
    """

    source: str
    words: str
    assumed: bool
    network: keras.Model
    size: int = 224

    def backbone(self, name: str | None = None) -> keras.Model:
        """A copy of the backbone in the global dtype policy, and in the current strategy's scope.

        Args:
            name: Its name. Default: the network's.

        Returns:
            A ``harl_tf.backbones.FeaturePyramid`` whose layers are all trained, but for a
            ``FrozenBatchNormalization``.
        """
        policy = keras.config.dtype_policy().name
        graph = rebuild(self.network, FusedBatchNormalization, synchronized=True, dtype=policy)
        for layer in graph._flatten_layers(include_self=False):
            layer.trainable = True
        backbone = FeaturePyramid(graph.input, graph.output, name=name or self.network.name)
        backbone.origin = self.network.origin
        return backbone

    def digest(self) -> str:
        """SHA-256 of its levels, weights and normalization."""
        found = hashlib.sha256()
        for layer in self.network.layers:
            if isinstance(layer, keras.layers.Rescaling):
                found.update(repr((layer.scale, layer.offset)).encode())
        for level, tensor in self.network.output.items():
            found.update(f"{level} {tensor.shape}".encode())
        for weight in self.network.get_weights():
            found.update(f"{weight.shape} {weight.dtype}".encode())
            found.update(np.ascontiguousarray(weight).tobytes())
        return found.hexdigest()


def open_start(source: str | os.PathLike[str], values: str | Values | None = None) -> Start:
    """Reads weights to begin with; as ``open_backbone``, with what is known about them.

    Args:
        source: As in ``open_backbone``.
        values: Likewise.

    Returns:
        A ``Start``.

    Raises:
        StartError: As ``open_backbone`` does.

    Example:
        ::

            start = harl_tf.zoo.open_start("resnet50.keras", values="caffe")
            with strategy.scope():
                model = harl_tf.HAPiCL(start.backbone())
    """
    source = os.fspath(source)
    if isinstance(values, str) and values not in VALUES:
        raise StartError(f"Expected values as one of {', '.join(VALUES)}. Received: {values!r}.")
    with dtype_policy("float32"):
        found = read(source)
        given = VALUES[values] if isinstance(values, str) else values
        chosen = found.values if given is None else given
        if chosen is None:
            raise StartError(
                f"{source} does not say which pixel values its network was trained with, and the "
                "wrong ones would spoil it. Say so with --from-values, in Python values=: "
                f"{', '.join(VALUES)}."
            )
        network = _pyramid(found.network, chosen, source)
    reason = "as you said" if given is not None else found.reason
    levels = ", ".join(network.output)
    words = f"{source}, {found.kind}, maps {levels}; pixel values: {_in_words(chosen)}, {reason}"
    assumed = given is None and reason.startswith("assumed")
    return Start(source, words, assumed, network, found.size or Start.size)


def open_backbone(
    source: str | os.PathLike[str], values: str | Values | None = None, name: str | None = None
) -> keras.Model:
    """Opens trained weights as a backbone to pretrain further.

    Args:
        source: A folder that ``export_backbone`` wrote, or a run with ``backbone/`` in it; the name
            of one of ``list_presets`` or the address of an archive of such a folder; a preset of
            KerasHub, that is a folder of ``save_to_preset``, a handle such as ``hf://...`` or
            ``kaggle://...``, or a name in ``keras_hub.models.Backbone.presets``; or a ``.keras``
            file of a whole model, such as one of ``keras.applications``, which is cut at the last
            feature map of each stride.
        values: The pixel values that the network was trained with: ``"raw"`` (0–255), ``"unit"``
            (0–1), ``"signed"`` (−1–1), ``"imagenet"`` (minus ImageNet's mean, divided by its
            deviation), ``"caffe"`` (BGR minus ImageNet's mean), or ``harl_tf.zoo.Values``. Default:
            what a layer inside the network or the preset's image converter says; for networks of
            ``keras.applications``, known by their names, what they were published with, and a
            warning that says so.
        name: Name of the model. Default: the network's.

    Returns:
        A ``harl_tf.backbones.FeaturePyramid`` in the global dtype policy, from RGB images of 0–255
        to a dict of feature maps.

    Raises:
        StartError: If there is no such source, it is something else or cannot be read, or the
            values that its network takes are not known or do not go with it.

    Example:
        ::

            backbone = harl_tf.zoo.open_backbone("hf://timm/resnet18.a1_in1k")
            model = harl_tf.HAPiCL(backbone)
    """
    start = open_start(source, values)
    if start.assumed:
        warnings.warn(f"{start.words}. Pass values= to say otherwise.", stacklevel=2)
    return start.backbone(name)


def _pyramid(network: keras.Model, values: Values, source: str) -> keras.Model:
    try:
        if values.reversed:
            reverse_channels(network)
        return feature_pyramid(network, mean=values.mean, std=values.std)
    except ValueError as error:
        raise StartError(f"{source} cannot be trained. {error}") from error


def _in_words(values: Values) -> str:
    names = {value: name for name, value in VALUES.items()}
    return names.get(values, f"minus {values.mean}, divided by {values.std}")
