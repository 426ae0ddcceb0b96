"""The features of an image from a trained backbone: one vector per cell of a grid.

Owns feeding the network: the size and scale of its input, the choice among its maps, and turning
tokens back into a grid. Does not own opening it (``mask_generation.networks.opening``) nor the use
of the vectors.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.networks.opening import (
    ModelError,
    explained,
    is_preset,
    one_thread_in_workers,
    open_keras,
)

# For networks without a fixed input size, image sides are multiples of this, so that every stage of
# a typical network has whole cells.
_STEP = 32
# Image pixels per cell of the map that is used by default.
_STRIDE = 16


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """A backbone ready for use.

    Attributes:
        network: A ``keras.Model`` with one input of images.
        scaled: Converts pixels of 0 to 255, (1, h, w, 3) float32, to the network's input scale.
        patch: Height and width of a token's patch; None for networks with maps.
    """

    network: Any
    scaled: Callable[[NDArray[np.float32]], Any]
    patch: tuple[int, int] | None

    def cells(
        self, rgb: NDArray[np.uint8], size: int, level: str | None = None
    ) -> NDArray[np.float64]:
        """The features of an image.

        Args:
            rgb: ``(H, W, 3)`` uint8.
            size: Longer side in pixels at which the network sees the image; sides become multiples
                of 32. A network with a fixed input size uses that size.
            level: Which map, such as ``"P4"``. Default: the one with a cell per 16 pixels, or the
                nearest to it; the deepest if there are several.

        Returns:
            ``(h, w, channels)`` float64.

        Raises:
            ModelError: If the network cannot take the image, or has no such map.
        """
        height, width = self._input_size(rgb, size)
        image = Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR)
        batch = self.scaled(np.asarray(image, np.float32)[None])
        with explained(f"The model {self.network.name!r} cannot take an image"):
            inputs = self.network.input
            if isinstance(inputs, dict):
                batch = dict.fromkeys(inputs, batch)
            outputs = self.network.predict_on_batch(batch)
        features = _of_level(outputs, level, height)
        if features.ndim == 3:
            features = self._as_grid(features, height, width)
        if features.ndim != 4:
            raise ModelError(
                f"Expected a feature map of shape (1, height, width, channels) from the model "
                f"{self.network.name!r}. Received shape: {features.shape}."
            )
        return features[0].astype(np.float64)

    def _input_size(self, rgb: NDArray[np.uint8], size: int) -> tuple[int, int]:
        inputs = self.network.input
        (image,) = inputs.values() if isinstance(inputs, dict) else (inputs,)
        height, width = image.shape[1:3]
        if height is not None and width is not None:
            return height, width
        scale = size / max(rgb.shape[:2])
        steps = (max(1, round(side * scale / _STEP)) for side in rgb.shape[:2])
        tall, wide = (step * _STEP for step in steps)
        return height or tall, width or wide

    def _as_grid(self, tokens: NDArray[Any], height: int, width: int) -> NDArray[Any]:
        """Tokens (1, n, c) as a map; tokens before the patches, such as a class's, are dropped."""
        if self.patch is None:
            raise ModelError(
                f"Expected `patch_size` on the model {self.network.name!r}, which outputs tokens. "
                "Received: none. Use a KerasHub preset, or a model that outputs a map."
            )
        rows, columns = height // self.patch[0], width // self.patch[1]
        if tokens.shape[1] < rows * columns:
            raise ModelError(
                f"Expected a token for each of {rows}×{columns} patches from the model "
                f"{self.network.name!r}. Received: {tokens.shape[1]}."
            )
        return tokens[:, -rows * columns :].reshape(1, rows, columns, -1)


def feature_network(model: Any) -> FeatureNetwork:
    """Prepares a network for use.

    Args:
        model: A checked source (``mask_generation.networks.opening.check_source``), which is opened
            once per process, or a ``keras.Model`` that takes pixels of 0 to 255.

    Returns:
        The network.

    Raises:
        ModelError: If it cannot be opened.
    """
    if isinstance(model, str):
        return _opened(model)
    return FeatureNetwork(model, scaled=lambda pixels: pixels, patch=_patch_of(model))


@functools.lru_cache(maxsize=2)
def _opened(source: str) -> FeatureNetwork:
    return _open_preset(source) if is_preset(source) else feature_network(open_keras(source))


def _open_preset(preset: str) -> FeatureNetwork:
    advice = (
        "Expected a folder written by save_to_preset, or the name of a preset that KerasHub can "
        "download or has downloaded before."
    )
    with one_thread_in_workers(), explained(f"The preset {preset} cannot be opened", advice):
        import keras
        import keras_hub

        backbone = keras_hub.models.Backbone.from_preset(preset)
        try:
            # The image is resized beforehand, without the square crop that converters apply.
            converter = keras_hub.layers.ImageConverter.from_preset(preset, image_size=None)
        except FileNotFoundError as error:
            raise ModelError(
                f"The preset {preset} does not specify how to scale its input: it has no image "
                "converter. Add one: keras_hub.layers.ImageConverter.save_to_preset(folder)."
            ) from error
        pyramid = getattr(backbone, "pyramid_outputs", None)
        network = keras.Model(backbone.input, pyramid) if pyramid else backbone
    return FeatureNetwork(network, scaled=converter, patch=_patch_of(backbone))


def _patch_of(model: Any) -> tuple[int, int] | None:
    patch = getattr(model, "patch_size", None)
    if isinstance(patch, int):
        return patch, patch
    return None if patch is None else (int(patch[0]), int(patch[1]))


def _of_level(outputs: Any, level: str | None, height: int) -> NDArray[Any]:
    """The named map, or the one whose cell size is nearest to 16 pixels."""
    if not isinstance(outputs, dict):
        if level is not None:
            raise ModelError(
                f"Expected no level: the model has a single output. Received: {level!r}."
            )
        return np.asarray(outputs)
    maps = {name: np.asarray(value) for name, value in outputs.items() if np.ndim(value) == 4}
    if level is None:
        if not maps:
            raise ModelError(
                "Expected an output of shape (batch, height, width, channels). "
                f"Received: {sorted(outputs)}, none of that shape."
            )
        level = min(reversed(sorted(maps)), key=lambda name: _off(height, maps[name].shape[1]))
    if level not in maps:
        raise ModelError(f"Expected level in {sorted(maps)}. Received: {level!r}.")
    return maps[level]


def _off(pixels: int, cells: int) -> float:
    return abs(math.log2(pixels / cells / _STRIDE))
