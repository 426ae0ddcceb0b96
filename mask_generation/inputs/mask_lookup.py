"""Which file is the mask of a photograph, for all commands.

Owns the names such a file may have, and their order. What is in the file is decided in
``mask_generation.inputs.mask_file``.
"""

import pathlib

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
