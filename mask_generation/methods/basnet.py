"""Foreground by BASNet, if its weights are available.

After Qin et al., "Boundary-Aware Segmentation Network for Mobile and Web Applications", 2021, in
KerasHub's implementation. Its published weights were trained on hand-drawn saliency labels, so
masks made with them are not label-free. Masks from weights trained on another method's masks are;
MaskContrast (Van Gansbeke et al., ICCV 2021) made its masks that way.

Owns: feeding the network and thresholding its map. Does not own: the network (KerasHub).
"""

import dataclasses
import functools
import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.cut.otsu import otsu_mask
from mask_generation.image.resize import enlarge
from mask_generation.networks.opening import (
    ModelError,
    check_source,
    explained,
    is_preset,
    one_thread_in_workers,
)
from mask_generation.result import ForegroundMask, check_rgb

_ADVICE = (
    "Weights are a KerasHub preset: a folder written by save_to_preset, or 'basnet_duts' "
    "(kaggle.com/models/keras/basnet), which KerasHub downloads if there is an internet "
    "connection; without one, download it elsewhere and pass its folder."
)
# Input size for a network that accepts any size: the paper's.
_SIDE = 288


@dataclasses.dataclass(frozen=True)
class BASNet:
    """A mask method that runs KerasHub's ``BASNetImageSegmenter``.

    Attributes:
        model: KerasHub preset of a BASNet, as a folder or by name. It is opened on first use, once
            per process.
        threshold: Probability from which a pixel is foreground, in (0, 1). Default: 0.5,
            as in MaskContrast.

    Raises:
        ModelError: If there is no such folder; on first use, if the model is not a BASNet or its
            weights are not available.
        ValueError: If the threshold is out of range.

    Example:
        ::

            method = BASNet("basnet_duts")
            mask = mask_generation.foreground_mask(rgb, method=method).mask
    """

    model: str
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Checks the settings; the network itself is opened on first use."""
        object.__setattr__(self, "model", check_source(os.fspath(self.model)))
        if not is_preset(self.model):
            raise ModelError(f"Expected a KerasHub preset. Received: {self.model}. {_ADVICE}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"Expected threshold in (0, 1). Received: {self.threshold}.")

    def __call__(self, rgb: NDArray[np.uint8]) -> ForegroundMask:
        """Computes the mask of an image, ``(H, W, 3)`` uint8."""
        check_rgb(rgb)
        network, converter, (height, width) = _opened(self.model)
        image = Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR)
        # The whole image is resized to the input's shape; the converter would crop it to a square.
        batch = converter(np.asarray(image, np.float32)[None])
        with explained(f"The BASNet {self.model} cannot take an image"):
            probability = np.asarray(network.predict_on_batch(batch), np.float32)[0, ..., 0]
        saliency = enlarge(probability, *rgb.shape[:2])
        _, quality = otsu_mask(saliency)
        return ForegroundMask(
            (saliency >= self.threshold).astype(np.uint8), saliency, quality, None
        )


class _Opened(NamedTuple):
    """A segmenter, the scaling of its pixels, and its input height and width."""

    network: Any
    converter: Any
    size: tuple[int, int]


@functools.lru_cache(maxsize=2)
def _opened(preset: str) -> _Opened:
    with one_thread_in_workers(), explained(f"The BASNet {preset} cannot be opened", _ADVICE):
        import keras_hub

        network = keras_hub.models.BASNetImageSegmenter.from_preset(preset)
        if network.preprocessor is None:
            raise ModelError(
                f"The BASNet {preset} does not specify how to scale its input: it has no "
                "preprocessor. Save it with one."
            )
        stated = network.preprocessor.image_converter.image_size
        converter = keras_hub.layers.ImageConverter.from_preset(preset, image_size=None)
        network.preprocessor = None  # the pixels are already scaled
    height, width = stated or (_SIDE, _SIDE)
    fixed = network.input_shape[1:3]
    return _Opened(network, converter, (int(fixed[0] or height), int(fixed[1] or width)))
