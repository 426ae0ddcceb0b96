"""Sources of photographs: a folder, a list, tar files, or a TensorFlow Datasets data set."""

import pathlib
from collections.abc import Sequence

from mask_generation.inputs.folder import find_images
from mask_generation.inputs.sources.archive import is_tar
from mask_generation.inputs.sources.list_file import read_list
from mask_generation.inputs.sources.source import Images, Listed
from mask_generation.inputs.sources.source import InMemory as InMemory
from mask_generation.inputs.sources.source import Source as Source
from mask_generation.inputs.sources.source import file_mark as file_mark
from mask_generation.inputs.sources.tar import read_tars
from mask_generation.inputs.sources.tfds_split import PREFIX as TFDS_PREFIX
from mask_generation.inputs.sources.tfds_split import read_tfds


def open_images(
    where: str | pathlib.Path | Sequence[str | pathlib.Path],
    mask_feature: str | None = None,
    classes: Sequence[str] | None = None,
    mask_folder: str | pathlib.Path | None = None,
) -> Images:
    """Lists the photographs of a source.

    Args:
        where: A folder, flat or with one subfolder per class; a text file with one path per line,
            followed by a TAB and a class if all have one; a tar file or a sequence of tar files; or
            ``tfds:NAME[/config][:version][:split]``.
        mask_feature: Name of the feature with the mask, for a data set. Default: none.
        classes: All class names in the order of their labels; not for a data set, which has its
            own. Default: those that occur.
        mask_folder: Folder of the photographs' masks, which are no photographs if it is among them.
            Default: none.

    Returns:
        The photographs in their order.

    Raises:
        OSError: If there are none, the source is something else, or a class is not among the given
            ones.

    Example:
        >>> open_images("no/such/folder")
        Traceback (most recent call last):
        FileNotFoundError: There is no folder no/such/folder.
    """
    if not isinstance(where, str | pathlib.Path):
        if len(where) != 1:
            return read_tars(_only_tars(where), classes)
        (where,) = where
    if str(where).startswith(TFDS_PREFIX):
        if classes is not None:
            raise OSError(
                f"Expected no classes for {where}, because a data set has its own. Received: "
                f"{len(classes)}. Leave them out."
            )
        return read_tfds(str(where), mask_feature)
    path = pathlib.Path(where)
    if not path.is_file():
        found = find_images(path, classes, mask_folder)
        files = tuple(source.path for source in found.sources)
        return Listed(tuple(found.sources), found.classes, files, found.passed_over, found.layout)
    return read_tars([path], classes) if is_tar(path) else read_list(path, classes)


def _only_tars(files: Sequence[str | pathlib.Path]) -> Sequence[str | pathlib.Path]:
    for file in files:
        if not pathlib.Path(file).is_file() or not is_tar(file):
            raise OSError(f"Expected one source, or several tars. Received: {file}, not a tar.")
    if not files:
        raise OSError("Expected one source, or several tars. Received: none.")
    return files
