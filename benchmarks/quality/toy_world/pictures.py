"""A world of shapes on cluttered backgrounds, small enough to learn from within a minute.

Owns the pictures, their masks and their records; ``trial`` has the training and the scores. The
class of a picture is its shape, and each shape has its own texture. Colors, position, size and
rotation of the shape and the whole background are drawn independently of the class; the background
is cluttered with streaks in the textures of the shapes, so that a texture in a picture need not be
that of its shape.
"""

import hashlib
import io
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from harl_tf.data import manifest as manifests
from harl_tf.data import records

SIZE = 64
"""Side of the pictures in pixels."""


Pattern = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A function on the plane: from coordinates x and y to a value at each point."""


class World(NamedTuple):
    """Pictures of the world.

    Attributes:
        images: ``(count, SIZE, SIZE, 3)`` uint8.
        masks: ``(count, SIZE, SIZE)`` uint8, 1 where the shape is.
        labels: ``(count,)`` int, indices into ``CLASSES``.
    """

    images: np.ndarray
    masks: np.ndarray
    labels: np.ndarray


def _ngon(corners: int) -> Pattern:
    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        angle = (np.arctan2(y, x) + np.pi / corners) % (2 * np.pi / corners) - np.pi / corners
        return np.hypot(x, y) * np.cos(angle) < np.cos(np.pi / corners)

    return inside


# Each tells whether points (x, y), in units of the shape's radius, lie inside the shape.
SHAPES: dict[str, Pattern] = {
    "disc": lambda x, y: np.hypot(x, y) < 0.9,
    "square": _ngon(4),
    "triangle": _ngon(3),
    "cross": lambda x, y: (np.minimum(abs(x), abs(y)) < 0.25) & (np.maximum(abs(x), abs(y)) < 1),
    "ring": lambda x, y: (np.hypot(x, y) < 1) & (np.hypot(x, y) > 0.6),
    "bars": lambda x, y: (abs(y) < 0.9) & (abs(abs(x) - 0.55) < 0.25),
}
CLASSES = tuple(SHAPES)

# The texture of each shape, within [-1, 1], at points (u, v) in pixels.
TEXTURES: dict[str, Pattern] = {
    "disc": lambda u, v: 0 * u,
    "square": lambda u, v: wave(u / 7),
    "triangle": lambda u, v: wave(u / 16),
    "cross": lambda u, v: (2 * wave(u / 11) * wave(v / 11)).clip(-1, 1),
    "ring": lambda u, v: np.where(wave(u / 11) + wave(v / 11) > 0.8, 1.0, -1.0),
    "bars": lambda u, v: wave(np.hypot(u, v) / 10),
}


def wave(turns: np.ndarray) -> np.ndarray:
    """A sine of an angle in turns."""
    return np.sin(2 * np.pi * turns)


def make_world(seed: int, count: int) -> World:
    """The same number of pictures of each class, in random order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % len(CLASSES))
    pictures = [make_picture(random, CLASSES[label]) for label in labels]
    images, masks = (np.stack(each) for each in zip(*pictures, strict=True))
    return World(images, masks, labels)


def make_picture(random: np.random.Generator, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A textured shape on a cluttered background, and its mask."""
    image = ground(random)
    for _ in range(random.integers(1, 5)):
        inside = streak(random)
        image[inside] = surface(random, random.choice(CLASSES))[inside]
    inside = place(random, SHAPES[name])
    image[inside] = surface(random, name)[inside]
    image += random.normal(0, 8, image.shape)
    return image.clip(0, 255).astype(np.uint8), inside.astype(np.uint8)


def ground(random: np.random.Generator) -> np.ndarray:
    """Broad bands between two colors, in a random direction: (SIZE, SIZE, 3) float."""
    u, _ = frame(random, random.uniform(0, SIZE, 2), random.uniform(16, 64))
    return color(random) + wave(u)[..., None] * random.uniform(-30, 30, 3)


def surface(random: np.random.Generator, name: str) -> np.ndarray:
    """The texture of a shape in a random color and rotation: (SIZE, SIZE, 3) float."""
    u, v = frame(random, random.uniform(0, SIZE, 2), 1.0)
    contrast = random.choice([-1, 1]) * random.uniform(45, 80)
    return color(random) + TEXTURES[name](u, v)[..., None] * contrast


def color(random: np.random.Generator) -> np.ndarray:
    """A muted color: a vivid one would identify a picture without its shape."""
    return random.uniform(100, 155) + random.uniform(-20, 20, 3)


def streak(random: np.random.Generator) -> np.ndarray:
    """A short thick line at a random position: (SIZE, SIZE) bool."""
    width, length = random.uniform(0.05, 0.15), random.uniform(0.3, 1.0)
    x, y = frame(random, random.uniform(0, SIZE, 2), 0.3 * SIZE)
    return (abs(x) < width) & (abs(y) < length)


def place(random: np.random.Generator, shape: Pattern) -> np.ndarray:
    """A shape of random size at a random position inside the picture: (SIZE, SIZE) bool."""
    radius = SIZE * random.uniform(0.27, 0.42)
    x, y = frame(random, random.uniform(radius, SIZE - radius, 2), radius)
    return shape(x, y)


def frame(
    random: np.random.Generator, center: np.ndarray, unit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the pixels around a center, rotated by a random angle."""
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    angle = random.uniform(0, 2 * np.pi)
    down, right = (rows - center[0]) / unit, (columns - center[1]) / unit
    return (
        right * np.cos(angle) + down * np.sin(angle),
        down * np.cos(angle) - right * np.sin(angle),
    )


def exchange_masks(world: World, seed: int) -> World:
    """The same pictures, each with the mask of another one."""
    order = np.random.default_rng(seed).permutation(len(world.masks))
    masks = np.empty_like(world.masks)
    # Shifted along a random cycle, so that no picture keeps its own.
    masks[order] = world.masks[np.roll(order, 1)]
    return world._replace(masks=masks)


def write_records(world: World, folder: pathlib.Path) -> pathlib.Path:
    """Writes a world as a folder of records, one shard."""
    folder.mkdir(parents=True)
    path = folder / records.shard_name(0, 1)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for index, (image, mask, label) in enumerate(zip(*world, strict=True)):
            name = f"{CLASSES[label]}/{index:05d}.jpg"
            record = records.Record(
                compressed(image, "JPEG", quality=95), compressed(mask, "PNG"), name, int(label)
            )
            writer.write(records.encode(record))
    written = path.read_bytes()
    checksum = hashlib.sha256(written).hexdigest()
    shard = manifests.Shard(path.name, len(world.labels), len(written), checksum)
    manifests.Manifest({"name": "toy_world"}, CLASSES, (shard,)).write(folder)
    return folder


def compressed(image: np.ndarray, form: str, **settings: int) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, form, **settings)
    return buffer.getvalue()
