"""Labels from the folders that photographs are in.

Owns when a folder is a class, and the sentences that say so where it could be otherwise.
"""

import collections
import dataclasses
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from mask_generation.inputs.file_names import printable, some
from mask_generation.inputs.labels.labeling import UNLABELED, Labeling, check_known
from mask_generation.inputs.labels.splits import Parts, around, is_split, split_level


@dataclasses.dataclass(frozen=True)
class Folders:
    """Folders as paths with forward slashes.

    Attributes:
        all: All folders, those without files included.
        others: Folders with files that are no photographs.
    """

    all: Collection[str] = ()
    others: Collection[str] = ()


NO_FOLDERS = Folders()


def label_by_folder(
    names: Sequence[str], folders: Folders = NO_FOLDERS, classes: Sequence[str] | None = None
) -> Labeling:
    """The classes of photographs, from the first folder of their names, or the one below a split.

    - If all topmost folders with photographs are splits, such as train and val, the classes are
      the folders in them. A single folder named images, or the like, is no class either.
    - Photographs above the class folders have no label. If there are at least as many of them as
      in all folders, the folders are not taken for classes.
    - A folder without any file is a class without photographs; one with other files only is none.

    Args:
        names: Paths with forward slashes.
        folders: The folders they are in. Default: those of the names.
        classes: All class names in the order of their labels; then every folder with photographs
            is a class. Default: the folders, sorted by name.

    Returns:
        The labels.

    Raises:
        OSError: If a folder is not among the given classes, or no photograph is in one of them.

    Example:
        >>> label_by_folder(["b/1.png", "a/x/2.png"])
        Labeling(classes=('a', 'b'), labels=[1, 0], notes=())
        >>> label_by_folder(["val/b/1.png", "train/a/2.png"]).classes
        ('a', 'b')
        >>> print(*label_by_folder(["b/1.png", "a/2.png", "c.png"]).notes)
        1 photograph is in no class folder and has no label: c.png.
        >>> label_by_folder(["b/1.png", "2.png"]).classes
        ()
    """
    # macOS writes accents in another form, and a class is one however it is written.
    paths = [tuple(_composed(name).split("/")) for name in names]
    folders = Folders(*(tuple(map(_composed, each)) for each in (folders.all, folders.others)))
    groups, notes = _groups(paths)
    found: list[str | None] = [None] * len(names)
    empty: set[str] = set()
    for group in groups:
        below = [index for index in group.indices if len(paths[index]) > group.level + 1]
        if classes is None and 2 * len(below) <= len(group.indices):
            notes.extend(_outnumbered(paths, group, below))
            continue
        for index in below:
            found[index] = paths[index][group.level]
        bare, others = _without_photographs(folders, group, {found[index] for index in below})
        empty |= bare
        if others and classes is None:
            notes.append(f"Folders with other files only are no classes: {some(sorted(others))}.")
    named = {folder for folder in found if folder is not None}
    if not named:
        _check_unasked(names, classes)
        return Labeling((), [UNLABELED] * len(names), tuple(notes))
    ordered = tuple(sorted(named | empty)) if classes is None else tuple(classes)
    check_known(named, map(_composed, ordered))
    if classes is None:
        notes.extend(_on_classes(ordered, empty - named))
    bare_names = [folder is None for folder in found]
    notes.extend(unlabeled_note(names, bare_names, "is in no class folder"))
    labels: dict[str | None, int] = {_composed(name): label for label, name in enumerate(ordered)}
    return Labeling(ordered, [labels.get(folder, UNLABELED) for folder in found], tuple(notes))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def unlabeled_note(names: Sequence[str], unlabeled: Sequence[bool], why: str) -> Iterator[str]:
    """A sentence on photographs without a label among those that have one, with an example.

    Example:
        >>> print(*unlabeled_note(["a.jpg", "b.jpg"], [True, False], "is in no class folder"))
        1 photograph is in no class folder and has no label: a.jpg.
    """
    without = [name for name, bare in zip(names, unlabeled, strict=True) if bare]
    if len(without) == 1:
        yield f"1 photograph {why} and has no label: {printable(without[0])}."
    elif without:
        why = why.replace("is ", "are ", 1).replace("has ", "have ", 1)
        count, example = f"{len(without):,}", printable(without[0])
        yield f"{count} photographs {why} and have no label, such as {example}."


def without_shared_folders(
    names: Sequence[str], folders: Folders = NO_FOLDERS
) -> tuple[list[str], Folders]:
    """Names without the folders that all of them begin with, and folders likewise.

    An archive usually has one folder around everything, which is no class.

    Example:
        >>> without_shared_folders(["photos/cat/1.png", "photos/dog/2.png"])[0]
        ['cat/1.png', 'dog/2.png']
    """
    filled = {name.rpartition("/")[0] for name in names} | set(folders.others)
    filled |= {folder[:at] for folder in filled for at, each in enumerate(folder) if each == "/"}
    parts = [name.split("/") for name in names]
    parts += [[*folder.split("/"), ""] for folder in folders.all if folder not in filled]
    shared = 0
    shortest = min(map(len, parts), default=1) - 1
    while shared < shortest and len({each[shared] for each in parts}) == 1:
        shared += 1

    def cut(paths: Collection[str]) -> list[str]:
        return [rest for path in paths if (rest := "/".join(path.split("/")[shared:]))]

    return cut(names), Folders(cut(folders.all), cut(folders.others))


@dataclasses.dataclass(frozen=True)
class _Group:
    """Photographs whose class folders are looked for together.

    Attributes:
        prefix: The folders that are no classes: of a split, or none.
        indices: Positions of the photographs.
    """

    prefix: Parts
    indices: list[int]

    @property
    def level(self) -> int:
        """How deep the class folders are."""
        return len(self.prefix)


def _groups(paths: Sequence[Parts]) -> tuple[list[_Group], list[str]]:
    """The photographs, by split if there are splits, and what is to be said of that."""
    level = split_level(paths)
    if level is None:
        prefixes: dict[Parts, list[int]] = {(): list(range(len(paths)))}
    else:
        prefixes = collections.defaultdict(list)
        for index, path in enumerate(paths):
            if len(path) > level + 1:
                prefixes[path[: level + 1]].append(index)
    groups = []
    for prefix, indices in prefixes.items():
        extra = around([paths[index] for index in indices], len(prefix))
        groups.append(_Group(prefix if extra is None else (*prefix, extra), indices))
    if level is None:
        extra = groups[0].prefix[0] if groups[0].prefix else None
        return groups, [] if extra is None else [f"The folder {extra} is not taken for a class."]
    splits = some(sorted({prefix[level] for prefix in prefixes}))
    classes = any(len(paths[i]) > group.level + 1 for group in groups for i in group.indices)
    what = "the classes are the folders in them" if classes else "there are no labels"
    return groups, [f"Taken for splits, not for classes: {splits}; {what}."]


def _without_photographs(
    folders: Folders, group: _Group, named: set[str | None]
) -> tuple[set[str], set[str]]:
    """Folders beside the classes of a group: those without any file, those with other files."""

    def beside(paths: Collection[str]) -> set[str]:
        parts = (tuple(path.split("/")) for path in paths)
        return {
            path[group.level]
            for path in parts
            if len(path) > group.level and path[: group.level] == group.prefix
        }

    other = beside(folders.others) - named
    return {folder for folder in beside(folders.all) - named if folder not in other}, {
        folder for folder in other if folder is not None
    }


def _outnumbered(paths: Sequence[Parts], group: _Group, below: Sequence[int]) -> Iterator[str]:
    if not below:
        return
    above = ["/".join(paths[i]) for i in group.indices if len(paths[i]) <= group.level + 1]
    folders = some(sorted({paths[index][group.level] for index in below}))
    yield (
        f"Not taken for classes: {folders}. Photographs above them: {len(above):,}, such as "
        f"{printable(above[0])}; in them: {len(below):,}. These have no label."
    )


def _check_unasked(names: Sequence[str], classes: Sequence[str] | None) -> None:
    """Refuses classes that were given for photographs in no folder."""
    if classes is not None:
        raise OSError(
            "Expected photographs in folders named as the given classes. Received: none, such as "
            f"{printable(names[0])}."
        )


def _on_classes(classes: Sequence[str], empty: Collection[str]) -> Iterator[str]:
    splits = [name for name in classes if is_split(name)]
    if splits and len(splits) < len(classes):
        others = some([name for name in classes if not is_split(name)])
        yield f"Taken for classes, not for splits: {some(splits)}; there is also {others}."
    if empty:
        yield f"Classes without photographs, for their empty folders: {some(sorted(empty))}."
