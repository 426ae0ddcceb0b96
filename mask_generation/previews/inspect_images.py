"""Inspecting the masks of a folder of photographs, computed on the fly.

Owns the two passes: statistics of all photographs, then the selected ones again in full. Nothing is
stored in between, because masks are deterministic. It needs neither TensorFlow nor ``harl_tf``.
"""

import pathlib
from collections.abc import Iterator
from functools import partial

from mask_generation.foreground import foreground_mask
from mask_generation.inputs.folder import FileSource, find_images
from mask_generation.inputs.reading import UnusableImageError, read_image
from mask_generation.left_out import LeftOut
from mask_generation.previews.pictures import Numbers, Picture
from mask_generation.workers import ordered_map


class InspectedImages:
    """A folder of photographs and a mask method to inspect.

    Attributes:
        method: Name of the method.

    Args:
        folder: Folder of images.
        method: Name of a method.
        workers: Processes that compute masks. Default: 1.

    Raises:
        OSError: If the folder contains no photographs or cannot be listed.

    Example:
        >>> InspectedImages("no/such/folder", "robust_background")
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """

    def __init__(self, folder: str | pathlib.Path, method: str, workers: int = 1):
        self._sources = find_images(folder).sources
        self.method = method
        self._workers = workers

    @property
    def total(self) -> int:
        """Number of photographs."""
        return len(self._sources)

    def numbers(self) -> Iterator[Numbers | LeftOut]:
        """Computes every mask once and keeps only a few numbers of each."""
        with ordered_map(self._workers) as run:
            numbered = list(enumerate(self._sources))
            yield from run(partial(_numbers_of, method=self.method), numbered, _lost)

    def pictures(self, chosen: set[int]) -> Iterator[Picture]:
        """Computes the masks of the selected photographs again."""
        for index in sorted(chosen):
            picture = _picture((index, self._sources[index]), self.method)
            if isinstance(picture, Picture):  # the file may have been damaged meanwhile
                yield picture


def _lost(numbered: tuple[int, FileSource], reason: str) -> LeftOut:
    return LeftOut(numbered[1].name, reason)


def _numbers_of(numbered: tuple[int, FileSource], method: str) -> Numbers | LeftOut:
    """Runs in a worker process; the picture itself is not sent back."""
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
