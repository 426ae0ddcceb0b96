"""Where the folder of an exported backbone is: given, in the repository, or to be downloaded.

Owns names, addresses and the cache. What is in a folder, and whether it is whole, is up to
``harl_tf.export.artifact``.
"""

import contextlib
import difflib
import hashlib
import lzma
import os
import pathlib
import re
import tarfile
import tempfile
import zlib

import keras

from harl_tf import files
from harl_tf.export import artifact
from harl_tf.export.artifact import ExportError, first_line
from harl_tf.zoo.presets import Preset, list_presets

_REPOSITORY = pathlib.Path(__file__).parents[2] / "pretrained"
_ADDRESS = re.compile(r"(https?|ftp|file)://")


def folder_of(source: str | os.PathLike[str]) -> pathlib.Path:
    """The folder of an exported backbone.

    Args:
        source: A folder that ``export_backbone`` wrote, or a run with one in it; the address of
            such a folder in a tar archive, ``https://...``, which is downloaded once; or a name of
            ``list_presets``. A folder that exists is never taken for a name.

    Returns:
        The folder, which is not checked.

    Raises:
        ExportError: If there is none, naming the presets whose names are nearest, or it cannot be
            downloaded.

    Example:
        >>> folder_of("no/such/folder")
        Traceback (most recent call last):
        harl_tf.export.errors.ExportError: There is no folder no/such/folder. ...
    """
    text = os.fspath(source)
    path = pathlib.Path(text)
    if path.exists():
        inside = path / "backbone"
        return inside if (inside / artifact.CHECKSUMS).is_file() else path
    if _ADDRESS.match(text):
        return downloaded(text)
    presets = {preset.name: preset for preset in list_presets()}
    if text in presets:
        return _place(presets[text])
    near = difflib.get_close_matches(text, presets, n=3, cutoff=0.4) or list(presets)
    known = f"Presets are {', '.join(near)}" if near else "There are no presets yet"
    raise ExportError(
        f"There is no folder {text}. Give one that export_backbone wrote, or a preset's name. "
        f"{known}; harl_tf.list_presets() lists all."
    )


def is_named(source: str) -> bool:
    """Whether a source is an address or the name of a preset, and no folder of that name exists.

    Example:
        >>> is_named("https://example.org/backbone.tar.gz"), is_named("hf://somebody/model")
        (True, False)
    """
    known = _ADDRESS.match(source) or any(preset.name == source for preset in list_presets())
    return bool(known) and not pathlib.Path(source).exists()


def downloaded(url: str, sha256: str | None = None) -> pathlib.Path:
    """The folder of an export in an archive elsewhere; downloaded once, and then from the cache.

    The cache is ``harl_tf`` in the user's cache folder (``XDG_CACHE_HOME``, by default
    ``~/.cache``), or the folder that ``HARL_TF_CACHE`` names.

    Args:
        url: A tar archive, compressed or not.
        sha256: Its checksum. Default: not checked. Those inside the archive show that it is whole,
            not whose it is.

    Returns:
        The folder.

    Raises:
        ExportError: If it cannot be downloaded, its checksum is another, or it is no archive of an
            exported backbone.

    Example:
        ::

            folder = downloaded("https://example.org/backbone.tar.gz")
    """
    key = hashlib.sha256(f"{url} {sha256}".encode()).hexdigest()[:16]
    place = cache_folder() / key
    if not _is_whole(place):
        if place.exists():  # damaged, or what is left after somebody has tidied up
            _remove(place)
        _download(url, sha256, place)
    found = _export_in(place)
    assert found is not None
    return found


def cache_folder() -> pathlib.Path:
    """Where downloaded backbones are kept.

    Example:
        >>> cache_folder().name
        'harl_tf'
    """
    given = os.environ.get("HARL_TF_CACHE")
    if given:
        return pathlib.Path(given)
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "harl_tf"


def is_at_hand(preset: Preset) -> bool:
    """Whether a preset can be opened without downloading anything: in a clone of the repository.

    Example:
        >>> [is_at_hand(preset) for preset in harl_tf.list_presets()[:1]]
        [True]
    """
    return (_REPOSITORY / preset.name / artifact.CHECKSUMS).is_file()


def _place(preset: Preset) -> pathlib.Path:
    """The repository's folder if this is a clone, the cache otherwise."""
    if is_at_hand(preset):
        return _REPOSITORY / preset.name
    if preset.url is None:
        raise ExportError(
            f"{preset.name} is in pretrained/{preset.name} of harl_tf's repository, which is not "
            "part of the installed package. Clone the repository and give the folder."
        )
    return downloaded(preset.url, preset.sha256)


def _remove(place: pathlib.Path) -> None:
    """Deletes a folder under another name: the next process makes one of this name."""
    with (
        tempfile.TemporaryDirectory(dir=place.parent, ignore_cleanup_errors=True) as scratch,
        contextlib.suppress(FileNotFoundError),  # another process was quicker
    ):
        place.rename(pathlib.Path(scratch, "damaged"))


def _is_whole(place: pathlib.Path) -> bool:
    found = _export_in(place)
    if found is None:
        return False
    try:
        artifact.check(found)
    except ExportError:
        return False
    return True


def _export_in(place: pathlib.Path) -> pathlib.Path | None:
    found = sorted(place.rglob(artifact.CHECKSUMS))
    return found[0].parent if found else None


_LARGEST = 2**34
"""Bytes that an archive may unpack to, many times those of the largest backbones."""


def _download(url: str, sha256: str | None, place: pathlib.Path) -> None:
    """Into a folder of its own, which is renamed once it is whole: two processes may do so."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)  # Keras would use another place
        with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
            archive = _fetched(url, sha256, scratch)
            inside = pathlib.Path(scratch, "inside")
            with tarfile.open(archive) as members:
                size = sum(member.size for member in members.getmembers())
                if size > _LARGEST:
                    raise ExportError(f"{url} unpacks to {size:,} bytes, more than a backbone has.")
                members.extractall(inside, filter="data")
            for file in filter(pathlib.Path.is_file, inside.rglob("*")):
                files.sync(file)
            found = _export_in(inside)
            if found is None:
                raise ExportError(f"{url} is no archive of a folder that export_backbone wrote.")
            artifact.check(found)
            if not place.exists():
                inside.rename(place)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ExportError(f"{url} is no whole tar archive: {_sentence(error)}") from error
    except OSError as error:
        if not place.exists():  # not by another process at the same time
            raise ExportError(
                f"{url} cannot be kept in {place.parent}: {_sentence(error)} HARL_TF_CACHE names "
                "another folder."
            ) from error


def _fetched(url: str, sha256: str | None, folder: str) -> str:
    try:
        path: str = keras.utils.get_file(
            "backbone.tar", url, file_hash=sha256, cache_dir=folder, cache_subdir="download"
        )
    except Exception as error:  # Keras raises Exception itself
        raise ExportError(
            f"{url} cannot be downloaded: {_sentence(error)} Without a network, copy the "
            "backbone's folder from elsewhere and give that."
        ) from error
    return path


def _sentence(error: Exception) -> str:
    return first_line(error).rstrip(".") + "."
