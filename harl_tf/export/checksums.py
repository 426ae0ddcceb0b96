"""The list of checksums in a folder that was exported.

Owns how it is written, in the format of ``sha256sum --check``, and how it is compared.
"""

import hashlib
import pathlib
import warnings

from harl_tf.export.errors import ExportError


def write_checksums(folder: pathlib.Path, name: str) -> None:
    """Lists every file of a folder.

    Args:
        folder: The folder.
        name: Name of the list in it.
    """
    lines = [f"{_digest(path)}  {file}" for file, path in sorted(_files(folder, name).items())]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def check_checksums(folder: pathlib.Path, name: str) -> None:
    """Checks that every file of a list is as it was, and warns of others.

    Args:
        folder: The folder.
        name: Name of the list in it.

    Raises:
        OSError: If there is no such list, or it cannot be read.
        ValueError: Likewise.
        ExportError: If a file is missing, has changed or cannot be read.
    """
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    found = _files(folder, name)
    listed = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
    if not listed or "" in listed:
        raise ValueError(f"{name} lists no files")
    for file, digest in listed.items():
        if file not in found:
            raise ExportError(
                f"{folder / file} is missing, going by {name}; copy the folder again."
            )
        try:
            same = _digest(found[file]) == digest
        except OSError as error:
            raise ExportError(f"{folder / file} cannot be read: {error.strerror}.") from error
        if not same:
            raise ExportError(
                f"{folder / file} has changed since the export, going by {name}; copy the folder "
                "again."
            )
    if strange := [file for file in found if file not in listed and not file.startswith(".")]:
        warnings.warn(
            f"{folder} holds what was not exported with it: {', '.join(sorted(strange)[:5])}.",
            stacklevel=4,
        )


def _files(folder: pathlib.Path, name: str) -> dict[str, pathlib.Path]:
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.name != name
    }


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
