"""Folders around photographs that are no classes: those of splits, and one named images.

Owns which names are splits, and where the class folders are below them.
"""

from collections.abc import Sequence

SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))
_AROUND = frozenset(("image", "images", "img", "imgs", "photos", "pictures", "jpegimages"))

Parts = tuple[str, ...]


def is_split(folder: str) -> bool:
    """Whether a folder has the name of a split, in any case.

    Example:
        >>> is_split("Val"), is_split("valley")
        (True, False)
    """
    return folder.lower() in SPLITS


def split_level(paths: Sequence[Parts]) -> int | None:
    """How deep the folders of splits are: all folders of that level have the name of one.

    Args:
        paths: The folders and the name of each photograph.

    Returns:
        0 for the topmost folders; None if there are no splits.

    Example:
        >>> split_level([("train", "cat", "1.jpg"), ("val", "cat", "2.jpg")])
        0
        >>> split_level([("birds", "train", "1.jpg")])
        1
        >>> split_level([("train", "1.jpg"), ("bus", "2.jpg")]) is None
        True
    """
    level = 0
    while True:
        folders = {path[level] for path in paths if len(path) > level + 1}
        if folders and all(map(is_split, folders)):
            return level
        # Only a folder around all photographs is looked into.
        if len(folders) != 1 or any(len(path) == level + 1 for path in paths):
            return None
        level += 1


def around(paths: Sequence[Parts], level: int) -> str | None:
    """A folder named images, or the like, around all photographs that are in folders.

    Args:
        paths: The folders and the name of each photograph.
        level: Which folder of each is looked at.

    Returns:
        Its name, or None.

    Example:
        >>> around([("images", "1.jpg"), ("images", "2.jpg")], 0)
        'images'
        >>> around([("images", "1.jpg"), ("drawings", "2.jpg")], 0) is None
        True
    """
    folders = {path[level] for path in paths if len(path) > level + 1}
    return folders.pop() if len(folders) == 1 and {f.lower() for f in folders} <= _AROUND else None
