"""Looking at the masks of a folder of photographs, computed on the way.

Owns the two passes: numbers of all, then those chosen once more in full; nothing is stored between
them, as the same photograph always gives the same mask. It needs neither TensorFlow nor
``harl_tf``.
"""

import pathlib
from collections.abc import Iterator
from functools import partial

from mask_generation.foreground import foreground_mask
from mask_generation.inputs.reading import (
    FileSource,
    UnusableImageError,
    find_images,
    read_image,
)
from mask_generation.left_out import LeftOut
from mask_generation.previews.pictures import Numbers, Picture
from mask_generation.workers import ordered_map


class InspectedImages:
    """A folder of photographs and a method to look at.

    Attributes:
        method: Name of the method.

    Args:
        folder: Folder of images.
        method: Name of a method.
        workers: Processes that compute masks. Default: 1.

    Raises:
        OSError: If there is no photograph in the folder or it cannot be listed.

    Example:
        >>> InspectedImages("no/such/folder", "robust_background")
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """

    def __init__(self, folder: str | pathlib.Path, method: str, workers: int = 1):
        self._sources, _ = find_images(folder)
        self.method = method
        self._workers = workers

    @property
    def total(self) -> int:
        """How many photographs there are."""
        return len(self._sources)

    def numbers(self) -> Iterator[Numbers | LeftOut]:
        """Computes every mask once; of each, a few numbers are kept."""
        with ordered_map(self._workers) as run:
            yield from run(partial(_numbers_of, method=self.method), list(enumerate(self._sources)))

    def pictures(self, chosen: set[int]) -> Iterator[Picture]:
        """Computes the masks of those chosen once more."""
        for index in sorted(chosen):
            picture = _picture((index, self._sources[index]), self.method)
            if isinstance(picture, Picture):  # unless the file was damaged meanwhile
                yield picture


def _numbers_of(numbered: tuple[int, FileSource], method: str) -> Numbers | LeftOut:
    """What a worker process does: the picture itself stays there."""
    picture = _picture(numbered, method)
    return picture if isinstance(picture, LeftOut) else picture.numbers


def _picture(numbered: tuple[int, FileSource], method: str) -> Picture | LeftOut:
    index, source = numbered
    try:
        rgb, _ = read_image(source.path)
    except UnusableImageError as error:
        return LeftOut(source.name, str(error))
    result = foreground_mask(rgb, method=method)
    numbers = Numbers(index, result.quality, result.foreground_share, result.flag or "")
    return Picture(source.name, numbers, rgb, result.mask, result.saliency)
