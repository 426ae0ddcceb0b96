"""The folder a conversion writes to: what may be replaced, and how the new folder replaces it.

Owns the guarantee that no file is deleted that this package did not write, but not the contents of
a folder of records.
"""

import os
import pathlib
import shutil

from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.conversion.folder import journal, tfds_files
from mask_generation.inputs.file_names import as_text
from mask_generation.inputs.system_files import is_the_systems
from mask_generation.whole_file import UNFINISHED

# What a folder of records may contain besides the shards.
_OUR_FILES = (
    *(manifests.FILE_NAME, manifests.QUARANTINE, "preview.png", "preview.html"),
    *tfds_files.NAMES,
)


class OutputFolderError(Exception):
    """A folder cannot be used for records; the message says why in one line."""


def check_out(out: pathlib.Path, overwrite: bool) -> None:
    """Refuses an existing folder, unless it may be replaced and contains only records."""
    if as_text(name := str(out.resolve())) != name:  # TensorFlow writes to no such path
        raise OutputFolderError(
            f"Expected a folder for records with a path in UTF-8. Received: {as_text(name)}."
        )
    if not out.exists():
        return
    if not overwrite:
        raise OutputFolderError(
            f"{out} exists. Choose another folder, or ask to replace it with --overwrite "
            "(in Python: overwrite=True)."
        )
    # Overwriting removes a folder, so everything in it must have been written by this package.
    if not (out / manifests.FILE_NAME).is_file():
        raise OutputFolderError(
            f"{out} is not a folder of records, so it is not overwritten. Choose another folder."
        )
    if foreign := _foreign_file(out):
        raise OutputFolderError(
            f"{foreign} is not part of a folder of records, so {out} is not overwritten. "
            "Move that file away or choose another folder."
        )


def check_partial(folder: pathlib.Path) -> None:
    """Refuses an existing working folder that was not left by an interrupted conversion."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise OutputFolderError(
            f"{folder} is needed while converting, but exists and was not left by a conversion. "
            "Move it away or choose another folder."
        )
    if foreign := _foreign_file(folder):
        raise OutputFolderError(
            f"{folder} is needed while converting, but {foreign.name} in it was not left by a "
            "conversion. Move that away or choose another folder."
        )


def partial_of(out: pathlib.Path) -> pathlib.Path:
    """The folder beside it that a conversion works in.

    Example:
        >>> partial_of(pathlib.Path("records")).name
        'records.partial'
    """
    return out.with_name(f"{out.name}.partial")


def put_in_place(folder: pathlib.Path, out: pathlib.Path) -> None:
    """Renames the finished folder; a folder that had the name before is deleted last.

    The journal goes after the renames: if one fails, the same command goes on from it. Between two
    renames there is no folder of that name. A process that is killed there leaves the older one
    aside, and ``put_back`` finds it.
    """
    if not out.exists():
        os.replace(folder, out)
        _remove_journal(out)
        return
    aside = _aside(out)
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(out, aside)
    try:
        os.replace(folder, out)
    except OSError:
        os.replace(aside, out)
        raise
    _remove_journal(out)
    shutil.rmtree(aside, ignore_errors=True)


def _remove_journal(out: pathlib.Path) -> None:
    shutil.rmtree(out / journal.FOLDER, ignore_errors=True)


def put_back(out: pathlib.Path) -> None:
    """Undoes what ``put_in_place`` has not finished; for who holds the folder's lock."""
    aside = _aside(out)
    if not aside.is_dir():
        return
    if out.exists():
        shutil.rmtree(aside)
    else:
        os.replace(aside, out)


def _aside(out: pathlib.Path) -> pathlib.Path:
    return out.with_name(f".{out.name}.replaced")


def _foreign_file(folder: pathlib.Path) -> pathlib.Path | None:
    """A file or folder in a folder of records that neither this package nor a system wrote."""
    for path in sorted(folder.iterdir()):
        if is_the_systems(path.name):
            continue
        if path.name == journal.FOLDER and path.is_dir() and not path.is_symlink():
            inside = (item for item in path.iterdir() if not is_the_systems(item.name))
            if foreign := [item for item in inside if ".json" not in item.name]:
                return foreign[0]
            continue
        # Of a process that was killed, the name that it wrote under.
        name = path.name.partition(UNFINISHED)[0].removesuffix(".partial")
        ours = name in _OUR_FILES or pathlib.Path(name).match(records.SHARD_PATTERN)
        if not ours or path.is_dir():
            return path
    return None
