"""The strides of feature maps, and their names: a map ``P<n>`` has a cell per ``2**n`` pixels.

Owns how a stride is found, and what a level's name means. Networks that keep their grid by leaving
out a stride, dilated or not, call their maps by the number of the stage; the detectors and
segmenters that are built on them take the number for a stride.
"""

import math
import re
from collections.abc import Mapping, Sequence

import keras

_SIDE = 224
"""Side of the images for which the maps of a network without a size are computed."""

_LEVEL = re.compile(r"P(\d+)")


def strides(backbone: keras.Model) -> dict[str, int]:
    """Image pixels per cell of each map of a backbone, to the nearest power of two.

    Args:
        backbone: A functional model of one image to a dict of maps.

    Example:
        >>> strides(resnet(18, output_stride=16))
        {'P2': 4, 'P3': 8, 'P4': 16}
    """
    names, maps = list(backbone.output), list(backbone.output.values())
    found = zip(names, map_sizes(backbone.inputs[0], maps), strict=True)
    return {level: 2 ** round(math.log2(side / height)) for level, (height, _, side) in found}


def named_by_stride(
    image: keras.KerasTensor, maps: Mapping[str, keras.KerasTensor]
) -> dict[str, keras.KerasTensor]:
    """Maps in order of their strides, those called ``P<n>`` renamed if another ``n`` is right.

    Args:
        image: The images, ``(batch, height, width, 3)``.
        maps: Feature maps by level, from fine to coarse.

    Returns:
        The maps by level. Of several with the same stride, the last one is kept. Maps with other
        names keep them.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> cells = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
        >>> list(named_by_stride(image, {"P4": cells, "P5": keras.layers.ReLU()(cells)}))
        ['P1']
    """
    found: dict[str, keras.KerasTensor] = {}
    sizes = map_sizes(image, list(maps.values()))
    for (name, tensor), (height, _, side) in zip(maps.items(), sizes, strict=True):
        level = level_number(name)
        if level is not None and not _may_be(level, height, side):
            name = f"P{max(0, round(math.log2(side / height)))}"
        found.pop(name, None)  # so that a later map also comes later
        found[name] = tensor
    return found


def level_number(name: str) -> int | None:
    """The ``n`` of a level ``P<n>``; None for another name.

    Example:
        >>> level_number("P4"), level_number("last")
        (4, None)
    """
    match = _LEVEL.fullmatch(name)
    return int(match[1]) if match else None


def map_sizes(
    image: keras.KerasTensor, maps: Sequence[keras.KerasTensor]
) -> list[tuple[int, int, int]]:
    """Height and width of each map, and the height of the image they were computed for.

    Args:
        image: The images; if their size is free, one of 224 pixels is taken.
        maps: Feature maps computed from them.

    Example:
        >>> image = keras.Input((None, None, 3))
        >>> map_sizes(image, [keras.layers.MaxPooling2D(4)(image)])
        [(56, 56, 224)]
    """
    height, width = (side or _SIDE for side in image.shape[1:3])
    one = keras.KerasTensor((1, height, width, image.shape[3]), dtype=image.dtype)
    outputs = keras.Model(image, list(maps)).compute_output_spec(one)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return [(each.shape[1], each.shape[2], height) for each in outputs]


def _may_be(level: int, height: int, side: int) -> bool:
    """Whether a map of so many cells may have the stride; a small image leaves several."""
    cells = side / 2**level
    rounded = (math.floor(cells), math.ceil(cells))
    return height in rounded or round(math.log2(side / height)) == level
