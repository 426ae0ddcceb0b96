"""KerasHub's RetinaNet on a backbone, for squares of a size."""

import math

import keras
import keras_hub

from harl_tf.backbones import FeaturePyramid
from harl_tf.evaluation.fine_tuned.heads import fresh_heads
from harl_tf.evaluation.fine_tuned.usable import check_pyramid

_FINEST, _COARSEST, _MOST = 3, 5, 7
"""Levels of RetinaNet: from a stride of 8; from the backbone, to 32; in all, to 128."""

_SCALES, _RATIOS = 3, (0.5, 1.0, 2.0)


def anchor_strides(size: int) -> int:
    """Side of the smallest anchor of a level, in its strides.

    4, as published (Lin et al. 2017, section 4), for photographs of about 800 pixels; 2 for
    smaller ones, whose objects are smaller.

    Example:
        >>> anchor_strides(800), anchor_strides(160)
        (4, 2)
    """
    return 4 if size >= 512 else 2


def smallest_side(size: int) -> float:
    """Side of a square box below which no anchor overlaps it by half, in pixels of the square.

    Example:
        >>> round(smallest_side(160), 1), round(smallest_side(800), 1)
        (11.3, 22.6)
    """
    return anchor_strides(size) * 2**_FINEST / math.sqrt(2)


def check_levels(backbone: keras.Model, size: int) -> None:
    """Checks that a RetinaNet can be made of a backbone for squares of a size.

    Args:
        backbone: The backbone.
        size: Side of the squares in pixels.

    Raises:
        ValueError: If the backbone lacks a map of a stride of 8, 16 or 32, its maps are not as
            large as their strides say, or the size is no multiple of 32.

    Example:
        >>> check_levels(resnet(18), 64)
    """
    check_pyramid(backbone)
    missing = [name for name in _names() if name not in backbone.pyramid_outputs]
    if missing:
        raise ValueError(
            f"Expected a backbone with maps of strides 8, 16 and 32, called {', '.join(_names())}. "
            f"Received: {', '.join(backbone.pyramid_outputs)}."
        )
    if size < 1 or size % 2**_COARSEST:
        raise ValueError(
            f"Expected a size that is a multiple of {2**_COARSEST}, the stride of RetinaNet's P5. "
            f"Received: size={size}."
        )
    maps = _levels(backbone).compute_output_shape((1, size, size, 3))
    sides = [maps[name][1] for name in _names()]
    if sides != [size // 2**level for level in range(_FINEST, _COARSEST + 1)]:
        raise ValueError(
            f"Expected maps of an eighth, a 16th and a 32nd of {size} pixels. "
            f"Received: {', '.join(map(str, sides))} cells."
        )


def retinanet(backbone: keras.Model, classes: int, size: int, seed: int) -> keras.Model:
    """A detector with new heads.

    Args:
        backbone: A backbone that ``check_levels`` accepts. It is trained along.
        classes: Number of classes.
        size: Side of the squares in pixels. There are as many levels as it takes until the largest
            anchor is as large.
        seed: Of the heads.

    Example:
        >>> retinanet(resnet(18), classes=2, size=64, seed=0).num_classes
        2
    """
    largest = anchor_strides(size) * 2 ** ((_SCALES - 1) / _SCALES)
    enough = math.ceil(math.log2(max(size / largest, 1)))
    most = min(max(enough, _COARSEST), _MOST)
    pyramid = keras_hub.models.RetinaNetBackbone(
        _levels(backbone),
        min_level=_FINEST,
        max_level=most,
        use_p5=False,
        image_shape=(size, size, 3),
    )
    model = keras_hub.models.RetinaNetObjectDetector(
        pyramid,
        num_classes=classes,
        bounding_box_format="xyxy",
        anchor_generator=keras_hub.layers.AnchorGenerator(
            "xyxy",
            min_level=_FINEST,
            max_level=most,
            num_scales=_SCALES,
            aspect_ratios=list(_RATIOS),
            anchor_size=anchor_strides(size),
        ),
        prediction_decoder=keras_hub.layers.NonMaxSuppression(
            bounding_box_format="xyxy", from_logits=True, confidence_threshold=0.05
        ),
    )
    fresh_heads(model, seed)
    return model


def _names() -> list[str]:
    return [f"P{level}" for level in range(_FINEST, _COARSEST + 1)]


def _levels(backbone: keras.Model) -> keras.Model:
    """The backbone with the maps that RetinaNet takes, and no others: it knows only numbers."""
    maps = {name: backbone.pyramid_outputs[name] for name in _names()}
    return FeaturePyramid(backbone.inputs[0], maps)
