"""The labels of photographs, whatever they were read from.

Owns what every way of labeling returns, and the two ways in which names of classes become numbers.
"""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Sequence

from mask_generation.inputs.file_names import printable, some

UNLABELED = -1
# More classes than any data set has: larger numbers are names.
_LARGEST_LABEL = 100_000


@dataclasses.dataclass(frozen=True)
class Labeling:
    """Classes, and the class of each photograph.

    Attributes:
        classes: Class names in the order of their labels; empty if there are no labels.
        labels: The label of each photograph, -1 for none.
        notes: Sentences on what was taken for granted where it could have been otherwise.
    """

    classes: tuple[str, ...]
    labels: list[int]
    notes: tuple[str, ...] = ()


def numbered(
    names: Iterable[str], classes: Sequence[str] | None = None
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The label of each class that a list or a file names.

    Args:
        names: Names of classes as the photographs have them. Whole numbers are the labels
            themselves if all names are, -1 being none.
        classes: All names in the order of their labels. Default: those that occur, sorted.

    Returns:
        Class names in the order of their labels, and the label of each name.

    Raises:
        OSError: If a name is not among the given classes.

    Example:
        >>> numbered(["dog", "cat"])
        (('cat', 'dog'), {'dog': 1, 'cat': 0})
        >>> numbered(["2", "0"])
        (('0', '1', '2'), {'2': 2, '0': 0})
        >>> numbered(["1"], ["cat", "dog"])
        (('cat', 'dog'), {'1': 1})
    """
    found = dict.fromkeys(names)
    labels = {name: int(name) for name in found if re.fullmatch(r"-1|[0-9]{1,6}", name)}
    are_labels = len(labels) == len(found) and max(labels.values(), default=0) < _LARGEST_LABEL
    if classes is not None:
        of_name = {name: label for label, name in enumerate(classes)}
        if are_labels and not set(found) <= set(of_name):
            of_name = {str(label): label for label in range(len(classes))}
            of_name |= {name: label for name, label in labels.items() if label < len(classes)}
        check_known(found, of_name)
        return tuple(classes), {name: of_name[name] for name in found}
    if found and are_labels:
        return tuple(map(str, range(max(labels.values()) + 1))), labels
    ordered = tuple(sorted(found))
    of_name = {name: label for label, name in enumerate(ordered)}
    return ordered, {name: of_name[name] for name in found}


def check_known(names: Iterable[str], classes: Iterable[str]) -> None:
    """Refuses names that are not among the given classes.

    Raises:
        OSError: With one of the names, and one that may have been meant.

    Example:
        >>> check_known(["dgo"], ["cat", "dog"])
        Traceback (most recent call last):
        OSError: Expected every class among the 2 given ones. Received: dgo; is it dog?
    """
    known = list(classes)
    unknown = sorted(set(names) - set(known))
    if not unknown:
        return
    meant = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.5)
    received = f"{some(unknown)}."
    if meant:
        received = f"{printable(unknown[0])}; is it {printable(meant[0])}?"
    raise OSError(f"Expected every class among the {len(known):,} given ones. Received: {received}")
