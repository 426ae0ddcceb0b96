"""A task made from photographs that are already on the machine: which photograph is a tile from?

Owns how scikit-image's photographs become tiles, and which side of a photograph they are from.
Training tiles are from the left part, test tiles from the right, with a gap, so that no pixel is in
both. Tiles are gray: many photographs could be told from their colors alone.

This is a demonstration that fits into the packages installed, no benchmark: there are sixteen
photographs, tiles of one side overlap, and what is learned is to recognize textures and parts.
"""

import pathlib

import numpy as np
import skimage.data
from PIL import Image

PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "cat", "coffee", "coins", "grass", "gravel"),
    *("hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket"),
    *("stereo_motorcycle", "text"),
)
"""All that come with scikit-image, without those that are mostly empty (cell, clock)."""

LONGEST_SIDE = 400
"""Of a photograph, in pixels: a tile then shows a part, such as an eye, a coin or a few words."""

SIDE = 64
"""Of a tile, in pixels."""

TRAINING_TILES, TEST_TILES = 60, 40
"""Tiles of each photograph."""

_TRAINING_SHARE, _TEST_SHARE = 0.55, 0.4
"""Width of the two parts relative to the photograph's. Between them nothing is used."""


def write_photographs(folder: pathlib.Path) -> None:
    """Writes the photographs as gray pictures, as if they came from a camera.

    Args:
        folder: Folder to create.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOGRAPHS:
        picture = getattr(skimage.data, name)()
        picture = picture[0] if isinstance(picture, tuple) else picture
        image = Image.fromarray(np.asarray(picture, np.uint8)).convert("L")
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        image.save(folder / f"{name}.png")


def write_tiles(photographs: pathlib.Path, folder: pathlib.Path, seed: int = 0) -> None:
    """Cuts tiles at random places into ``train/NAME`` and ``test/NAME``.

    Args:
        photographs: Folder made by ``write_photographs``.
        folder: Folder to create.
        seed: Another seed gives other places. Default: 0.
    """
    for index, name in enumerate(PHOTOGRAPHS):
        places = np.random.default_rng((seed, index))
        with Image.open(photographs / f"{name}.png") as image:
            width = image.width
            left = image.crop((0, 0, int(width * _TRAINING_SHARE), image.height))
            right = image.crop((int(width * (1 - _TEST_SHARE)), 0, width, image.height))
        for part, side, count in (
            ("train", left, TRAINING_TILES),
            ("test", right, TEST_TILES),
        ):
            into = folder / part / name
            into.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                x = int(places.integers(side.width - SIDE + 1))
                y = int(places.integers(side.height - SIDE + 1))
                side.crop((x, y, x + SIDE, y + SIDE)).save(into / f"{number:02d}.png")
