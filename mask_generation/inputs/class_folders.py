"""Labels from the folders that photographs are in.

Owns when a folder is a class.
"""

import collections
from collections.abc import Sequence

UNLABELED = -1


def label_by_folder(names: Sequence[str]) -> tuple[tuple[str, ...], list[int]]:
    """The classes of photographs, from the first folder of their names.

    Photographs above the class folders have no label. If there are more of them than in the
    smallest folder, or only one folder beside them, the folders are not taken for classes.

    Args:
        names: Paths with forward slashes.

    Returns:
        Class names in the order of their labels, and the label of each photograph, -1 for none.

    Example:
        >>> label_by_folder(["b/1.png", "a/x/2.png"])
        (('a', 'b'), [1, 0])
        >>> label_by_folder(["b/1.png", "a/2.png", "montage.png"])
        (('a', 'b'), [1, 0, -1])
        >>> label_by_folder(["b/1.png", "2.png"])
        ((), [-1, -1])
    """
    folders = [name.split("/")[0] if "/" in name else None for name in names]
    counts = collections.Counter(folders)
    above = counts.pop(None, 0)
    if not counts or (above and (len(counts) == 1 or above > min(counts.values()))):
        return (), [UNLABELED] * len(folders)
    classes = tuple(sorted(folder for folder in counts if folder is not None))
    labels: dict[str | None, int] = {name: label for label, name in enumerate(classes)}
    return classes, [labels.get(folder, UNLABELED) for folder in folders]


def without_shared_folders(names: Sequence[str]) -> list[str]:
    """Names without the folders that all of them begin with.

    An archive usually has one folder around everything, which is no class.

    Example:
        >>> without_shared_folders(["photos/cat/1.png", "photos/dog/2.png"])
        ['cat/1.png', 'dog/2.png']
    """
    parts = [name.split("/") for name in names]
    shared = 0
    shortest = min(map(len, parts), default=1) - 1
    while shared < shortest and len({each[shared] for each in parts}) == 1:
        shared += 1
    return ["/".join(each[shared:]) for each in parts]
