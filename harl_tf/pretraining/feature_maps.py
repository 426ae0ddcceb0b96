"""Selecting and reshaping the feature maps that a branch works on."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

Level = str | int | Sequence[str | int] | None
"""Name of a map, names of several maps to fuse, or None for the last one.

A number instead of a name counts from the finest map, or with -1 from the last one, whatever the
names of a network's maps are."""


def level_names(maps: Mapping[str, keras.KerasTensor], level: Level) -> tuple[str, ...]:
    """The names of the maps that ``level`` selects, the one with the finest grid first.

    Args:
        maps: Outputs of a backbone, from fine to coarse.
        level: A name or number, several of them, or None for the last map.

    Returns:
        A tuple of names.

    Raises:
        ValueError: If the backbone has no such map.

    Example:
        >>> level_names(resnet(18).output, ("P5", "P4"))
        ('P4', 'P5')
        >>> level_names(resnet(18).output, (-2, -1))
        ('P4', 'P5')
    """
    ordered = list(maps)
    wanted = (-1,) if level is None else (level,) if isinstance(level, str | int) else level
    numbers = range(-len(ordered), len(ordered))
    known = [each in numbers if isinstance(each, int) else each in maps for each in wanted]
    if not known or not all(known):
        raise ValueError(f"Expected level in {sorted(maps)}. Received: level={level!r}.")
    names = {ordered[each] if isinstance(each, int) else each for each in wanted}
    return tuple(sorted(names, key=ordered.index))


def channels(maps: Mapping[str, keras.KerasTensor], level: Level = None) -> int:
    """Number of channels of the map that ``level`` selects.

    Example:
        >>> channels(resnet(18).output, ("P4", "P5"))
        768
    """
    return sum(int(maps[name].shape[-1]) for name in level_names(maps, level))


def select_map(maps: Mapping[str, tf.Tensor], level: Level = None) -> tf.Tensor:
    """The map that ``level`` selects; several are upsampled to the finest grid and concatenated.

    Args:
        maps: Feature maps ``(batch, height, width, channels)``.
        level: A name or number, several of them, or None for the last map.

    Returns:
        ``(batch, height, width, channels)``.

    Example:
        >>> maps = {"P4": tf.ones((1, 4, 4, 2)), "P5": tf.ones((1, 2, 2, 3))}
        >>> select_map(maps, ("P4", "P5")).shape.as_list()
        [1, 4, 4, 5]
    """
    finest, *others = (maps[name] for name in level_names(maps, level))
    if not others:
        return finest
    size = finest.shape[1:3]
    # tf.image.resize returns float32 anyway, and its gradient under XLA assumes a float32 input.
    floats = [tf.cast(each, tf.float32) for each in others]
    scaled = [tf.cast(tf.image.resize(each, size), finest.dtype) for each in floats]
    return tf.concat([finest, *scaled], axis=-1)


def as_cells(features: tf.Tensor) -> tf.Tensor:
    """The cells of a map in row-major order: ``(batch, cells, channels)``.

    Example:
        >>> as_cells(tf.zeros((2, 3, 4, 5))).shape.as_list()
        [2, 12, 5]
    """
    _, height, width, depth = features.shape
    return tf.reshape(features, (-1, height * width, depth))


def pooled(features: tf.Tensor) -> tf.Tensor:
    """Global average pooling: ``(batch, channels)``.

    Example:
        >>> pooled(tf.ones((2, 3, 4, 5))).shape.as_list()
        [2, 5]
    """
    return tf.reduce_mean(features, axis=(1, 2))


def on_cells(head: keras.Model, cells: tf.Tensor, training: bool) -> tf.Tensor:
    """Applies a head to every cell: ``(batch, cells, channels)`` → ``(batch, cells, units)``.

    Example:
        >>> on_cells(keras.Sequential([keras.layers.Dense(4)]), tf.ones((2, 3, 5)), False).shape[1:]
        TensorShape([3, 4])
    """
    _, count, depth = cells.shape
    rows = head(tf.reshape(cells, (-1, depth)), training=training)
    return tf.reshape(rows, (-1, count, rows.shape[-1]))
