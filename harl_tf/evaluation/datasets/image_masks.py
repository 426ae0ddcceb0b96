"""Photographs and label maps in two folders, one file each, with the same names."""

import os
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from harl_tf.evaluation.datasets.photograph import opened, rgb
from harl_tf.evaluation.dense.overlap import VOID
from mask_generation.inputs.folder import SUFFIXES
from mask_generation.inputs.formats.exif import orientation_of, turned

_PNG = b"\x89PNG\r\n\x1a\n"
_INDEXED = ("L", "P", "1", "I;16", "I")
"""Modes of Pillow whose pixels are numbers of classes, not colors."""


def image_masks(
    images: str | os.PathLike[str], masks: str | os.PathLike[str], size: int | None = None
) -> "ImageMasks":
    """Photographs with their label maps, for ``segmentation_score`` and for training.

    Args:
        images: Folder of photographs, perhaps with subfolders.
        masks: Folder of label maps: for ``a/b.jpg`` a file ``a/b.png`` (or of another lossless
            format) whose pixels are class numbers, in gray or with a palette, 255 for void. Black
            and white masks of one bit have the classes 0 and 1.
        size: Side to which both are scaled, masks without mixing labels. Default: as they are,
            which segmentation_score takes and ``fit`` does not.

    Returns:
        Something that can be looped over as often as needed, in the order of the names; each time
        it gives batches of one, images ``(1, height, width, 3)`` uint8 and label maps ``(1, height,
        width)`` int64. Both are made upright by the photograph's EXIF orientation; a mask that is
        already is left as it is if its size tells.

    Raises:
        ValueError: If a photograph has no mask, there are no photographs, or two of one name.

    Example:
        >>> image_masks("no/such", "folder")
        Traceback (most recent call last):
        ValueError: Expected photographs in no/such. Received: none.
    """
    images, masks = pathlib.Path(images), pathlib.Path(masks)
    found, labeled = _by_name(images), _by_name(masks)
    if not found:
        raise ValueError(f"Expected photographs in {images}. Received: none.")
    missing = [name for name in found if name not in labeled]
    if missing:
        raise ValueError(
            f"Expected a mask in {masks} for every photograph in {images}, with the same name. "
            f"Received: none for {len(missing)}, the first {missing[0]}."
        )
    return ImageMasks([(name, path, labeled[name]) for name, path in found.items()], size)


def _by_name(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The images of a folder by their path in it without the ending; hidden files are none."""
    found: dict[str, pathlib.Path] = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inner.parts)
        if hidden or path.suffix.lower() not in SUFFIXES:
            continue
        name = inner.with_suffix("").as_posix()
        if name in found:
            raise ValueError(
                f"Expected one image of each name in {folder}. "
                f"Received: {found[name].name} and {path.name}."
            )
        found[name] = path
    return found


class ImageMasks:
    """Pairs of files, read anew in every loop.

    Args:
        pairs: A name, a photograph and its mask each.
        size: Side to scale to; None to leave them.

    Example:
        >>> len(ImageMasks([]))
        0
    """

    def __init__(
        self, pairs: list[tuple[str, pathlib.Path, pathlib.Path]], size: int | None = None
    ) -> None:
        self.pairs, self.size = pairs, size

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def names(self) -> list[str]:
        """The names of the photographs, without their endings."""
        return [name for name, _, _ in self.pairs]

    def only(self, kept: Sequence[bool]) -> "ImageMasks":
        """Some of the pairs.

        Args:
            kept: Whether to keep each.
        """
        chosen = [pair for pair, keep in zip(self.pairs, kept, strict=True) if keep]
        return ImageMasks(chosen, self.size)

    def classes(self, void: int = VOID) -> int:
        """Number of classes: one more than the largest label of any mask.

        Args:
            void: Label of pixels that do not count. Default: 255.
        """
        labels = (np.asarray(_labels(mask)) for _, _, mask in self.pairs)
        return 1 + max((int(each[each != void].max(initial=0)) for each in labels), default=0)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _, photograph, mask in self.pairs:
            image, labels = opened(photograph), _labels(mask)
            turn = orientation_of(image)
            if labels.size == image.size:  # drawn on the pixels as they are stored
                labels = turned(labels, turn)
            image = rgb(turned(image, turn), photograph)
            if image.size != labels.size:
                raise ValueError(
                    f"Expected {mask} to be as large as {photograph}. Received: "
                    f"{labels.width}×{labels.height} and {image.width}×{image.height} pixels."
                )
            if self.size is not None:
                image = image.resize((self.size, self.size), Image.Resampling.BILINEAR)
                labels = labels.resize((self.size, self.size), Image.Resampling.NEAREST)
            yield np.asarray(image)[None], np.asarray(labels).astype(np.int64)[None]


def _labels(path: pathlib.Path) -> Image.Image:
    mask = opened(path)
    if mask.mode not in _INDEXED:
        raise ValueError(
            f"Expected {path} to be gray or to have a palette, its pixels being class numbers. "
            f"Received: an image of mode {mask.mode}; convert its colors to numbers first."
        )
    if path.suffix.lower() in (".jpg", ".jpeg"):
        raise ValueError(
            f"Expected {path} in a lossless format such as PNG. Received: a JPEG, which changes "
            "class numbers."
        )
    step = 255 // (2 ** _bits(path, mask) - 1) if mask.mode in ("1", "L") else 1
    return mask.convert("L").point(lambda value: value // step) if step > 1 else mask


def _bits(path: pathlib.Path, mask: Image.Image) -> int:
    """Bits of a gray pixel; of less than eight, Pillow stretches the values to 255."""
    if mask.mode == "1":
        return 1
    with path.open("rb") as file:
        start = file.read(25)
    return start[24] if start.startswith(_PNG) else 8
