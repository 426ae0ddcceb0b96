"""Small tasks made from pictures that come with scikit-image, so that every example runs at once.

Which photograph is a gray tile from (class folders), and where are the coins (masks and boxes)?
They are there to show the code; give the examples a folder of your own for anything else.
"""

import pathlib
import tempfile

import numpy as np
import skimage
from quickstart_parts import tiles

_PLACE = tempfile.TemporaryDirectory()  # is removed when Python ends

SIDE = 96
"""Of a picture of coins, in pixels."""


def class_folders() -> tuple[pathlib.Path, pathlib.Path]:
    """Two folders of class folders, to learn from and to test on."""
    place = pathlib.Path(_PLACE.name)
    tiles.write_photographs(place / "photographs")
    tiles.write_tiles(place / "photographs", place)
    return place / "train", place / "test"


def coins(count: int, test: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of coins, and which coin each pixel is of.

    Args:
        count: Number of pictures.
        test: Whether they are from the right of the photograph instead of the left.
        seed: Another seed gives other places.

    Returns:
        uint8 images ``(count, 96, 96, 3)`` and ``(count, 96, 96)`` ints, 0 for no coin.
    """
    photograph = skimage.data.coins()
    bright = photograph > skimage.filters.threshold_otsu(photograph)
    closed = skimage.morphology.closing(bright, np.ones((5, 5), bool))
    which = skimage.measure.label(skimage.segmentation.clear_border(closed))
    sizes = np.bincount(which.ravel())
    which = np.where(sizes[which] > 300, which, 0)
    half = photograph.shape[1] // 2
    place = np.random.default_rng((seed, test))
    left, top = (half, 0) if test else (0, 0)
    corners = [
        (top + place.integers(photograph.shape[0] - SIDE), left + place.integers(half - SIDE))
        for _ in range(count)
    ]
    cut = [(slice(y, y + SIDE), slice(x, x + SIDE)) for y, x in corners]
    images = np.stack([photograph[part] for part in cut])
    return images[..., None].repeat(3, axis=-1), np.stack([which[part] for part in cut])


def boxes(which: np.ndarray, most: int = 12) -> dict[str, np.ndarray]:
    """Boxes of coins as KerasHub's detectors take them, filled up with −1.

    Args:
        which: As ``coins`` returns it.
        most: Boxes of a picture.
    """
    corners = np.full((len(which), most, 4), -1, np.float32)
    labels = np.full((len(which), most), -1, np.int64)
    for number, picture in enumerate(which):
        found = [region.bbox for region in skimage.measure.regionprops(picture)]
        for place, (top, left, bottom, right) in enumerate(found[:most]):
            corners[number, place] = left, top, right, bottom
            labels[number, place] = 0
    return {"boxes": corners, "labels": labels}
