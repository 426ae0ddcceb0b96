"""Which file is the mask of a photograph, for all commands.

Owns the names such a file may have, and their order. What is in the file is decided in
``mask_generation.inputs.mask_file``.
"""

import os
import pathlib
from collections.abc import Mapping

from mask_generation.inputs.file_names import find_file

MASK_ENDINGS = (".png", ".npz", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".jpg", ".jpeg")
"""Endings of mask files, in any case; if there are several, the first counts."""


def find_mask(
    folder: str | pathlib.Path, name: str, photograph: str | None = None
) -> pathlib.Path | None:
    """Finds the mask file of a photograph.

    The mask of ``a/b.jpg`` is, in this order, ``a/b.jpg.png``, ``a/b.png``, ``a/b.jpg.npz``,
    ``a/b.npz`` and so on through ``MASK_ENDINGS``. Then the same is looked for without everything
    up to a folder ``train``, as in the masks released by the authors of HARL (Tran et al. 2022),
    where the mask of ``train/n01440764/x.JPEG`` is ``MASKS/n01440764/x.png``. Only if
    there is none of these, names may differ in their Unicode form and the case of their ending.

    Args:
        folder: Folder of masks.
        name: Name of the photograph, a path with forward slashes.
        photograph: Its file, which is never its own mask. Default: not known.

    Returns:
        The file, or None. Photographs whose names differ only in their extension may share a mask.

    Example:
        >>> find_mask("no/such/folder", "train/a.jpg") is None
        True
    """
    parts = [part for part in pathlib.PurePosixPath(name).parts if part not in ("/", "..")]
    relatives = ["/".join(parts)]
    if "train" in parts[:-1]:
        relatives.append("/".join(parts[parts.index("train") + 1 :]))
    candidates = [
        stem + ending
        for relative in relatives
        for ending in MASK_ENDINGS
        for stem in (relative, relative.removesuffix(pathlib.PurePosixPath(relative).suffix))
    ]
    return find_file(folder, candidates, photograph)


def masks_among(images: Mapping[str, str], folder: str | pathlib.Path) -> set[str]:
    """Images that are the masks of others, where masks and photographs are in one folder.

    Of ``a.jpg`` and ``a.png``, each is found as the mask of the other; the one whose ending comes
    first in ``MASK_ENDINGS`` is the mask.

    Args:
        images: Paths of all images, by their names.
        folder: Folder of masks.

    Returns:
        The names of the masks.

    Example:
        >>> masks_among({"a.jpg": "no/a.jpg"}, "no/such/folder")
        set()
    """
    named = {os.path.realpath(path): name for name, path in images.items()}
    mask_of = {}
    for name, path in images.items():
        found = find_mask(folder, name, path)
        mask = None if found is None else named.get(os.path.realpath(found))
        if mask is not None:
            mask_of[name] = mask
    return {
        mask
        for name, mask in mask_of.items()
        if mask_of.get(mask) != name or _rank(mask) < _rank(name)
    }


def _rank(name: str) -> tuple[int, str]:
    ending = pathlib.PurePosixPath(name).suffix.lower()
    known = MASK_ENDINGS.index(ending) if ending in MASK_ENDINGS else len(MASK_ENDINGS)
    return known, name
