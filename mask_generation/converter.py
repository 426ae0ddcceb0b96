"""From a folder of photographs to a folder of TFRecords.

Owns the order of things: shards are written one after another into ``OUT.partial``, the manifest
last, and only then does the folder take its name. Whatever happens before that, OUT does not exist;
an older OUT that is to be replaced goes when the new one is there.
"""

import contextlib
import errno
import hashlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import tensorflow as tf
from tqdm import tqdm

from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.example import DEGENERATE, Example, Settings, Unusable, make_example
from mask_generation.methods import METHODS
from mask_generation.photographs import find_photographs
from mask_generation.workers import no_interrupt, ordered_map

# What a folder of records may hold besides the shards.
_OUR_FILES = (manifests.FILE_NAME, "preview.png")


class ConversionError(Exception):
    """The conversion cannot be done; the message says why in one line, nothing was written."""


def convert(
    photographs: str | pathlib.Path,
    out: str | pathlib.Path,
    method: str = "robust_background",
    workers: int = 1,
    photographs_per_shard: int = 1000,
    longest_side: int | None = None,
    degenerate: str = "skip",
    overwrite: bool = False,
    progress: bool = True,
) -> manifests.Manifest:
    """Computes a foreground mask for every photograph and writes both as TFRecords.

    The bytes written do not depend on the number of workers. Photographs that cannot be read, or
    whose mask holds no two regions, are left out and listed in the manifest with the reason.

    Args:
        photographs: Folder of images, flat or with one subfolder per class (whose names become
            labels).
        out: Folder to make. It appears only when everything in it is whole.
        method: Name of the mask method, see ``mask_generation.METHODS``. Default:
            ``"robust_background"``.
        workers: Processes that compute masks; 1 computes in this one. A script that asks for more
            needs the usual ``if __name__ == "__main__":`` around its work. Default: 1.
        photographs_per_shard: Photographs per TFRecord file. Default: 1000.
        longest_side: Shrink larger photographs to this longer side in pixels. Default: keep.
        degenerate: ``"skip"`` photographs without a usable mask, or ``"keep"`` them with the mask
            as it is. Default: ``"skip"``.
        overwrite: Whether an existing folder of records is replaced. Default: False.
        progress: Whether to show a progress bar. Default: True.

    Returns:
        The manifest.

    Raises:
        ConversionError: If the conversion cannot be done.

    Example:
        >>> convert("no/such/folder", "records")
        Traceback (most recent call last):
        mask_generation.converter.ConversionError: There is no folder no/such/folder.
    """
    out = pathlib.Path(out)
    _check_arguments(method, workers, photographs_per_shard, longest_side, degenerate)
    try:
        _check_out(out, overwrite)
        target = out.resolve()  # where OUT is a link, work beside the folder it stands for
        folder = target.with_name(target.name + ".partial")
        _check_partial(folder)
        sources, classes = find_photographs(photographs)
    except OSError as error:
        raise ConversionError(str(error)) from error
    settings = Settings(method, longest_side, degenerate)
    described: dict[str, str | int | float] = {"name": method, "degenerate": degenerate}
    if longest_side is not None:
        described["longest_side"] = longest_side
    try:
        with _cleaned_up(folder), ordered_map(workers) as run:
            results = run(partial(make_example, settings=settings), sources)
            with tqdm(results, total=len(sources), unit="photo", disable=not progress) as done:
                manifest = _write(
                    done, len(sources), photographs_per_shard, folder, described, classes
                )
            with no_interrupt():
                _put_in_place(folder, target)
    except (OSError, tf.errors.OpError) as error:
        raise ConversionError(_explain(error, out)) from error
    except BrokenProcessPool as error:
        raise ConversionError(
            "A worker process died, perhaps for want of memory. Try fewer workers."
        ) from error
    return manifest


def _write(
    done: Iterable[Example | Unusable],
    total: int,
    photographs_per_shard: int,
    folder: pathlib.Path,
    method: dict[str, str | int | float],
    classes: Sequence[str],
) -> manifests.Manifest:
    """Writes shards and manifest into the partial folder."""
    folder.mkdir(parents=True)
    iterator = iter(done)
    count = -(-total // photographs_per_shard)
    shards, skipped = [], []
    for index in range(count):
        path = folder / records.shard_name(index, count)
        written = 0
        with tf.io.TFRecordWriter(str(path)) as writer:
            for _ in range(min(photographs_per_shard, total - index * photographs_per_shard)):
                result = next(iterator)
                if isinstance(result, Unusable):
                    skipped.append(manifests.Skip(result.name, result.reason))
                    continue
                record = records.Record(result.image, result.mask, result.name, result.label)
                writer.write(records.encode(record))
                written += 1
        shards.append(_seal(path, written))
    for _ in iterator:  # lets the progress bar come to its end
        pass
    if not any(shard.records for shard in shards):
        raise ConversionError(
            f"None of the {total} photographs can be used; the first: "
            f"{skipped[0].name}: {skipped[0].reason}."
        )
    manifest = manifests.Manifest(method, tuple(classes), tuple(shards), tuple(skipped))
    manifest.write(folder)
    return manifest


def _seal(path: pathlib.Path, count: int) -> manifests.Shard:
    """Forces a shard to disk and describes it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return manifests.Shard(path.name, count, path.stat().st_size, digest)


def _put_in_place(folder: pathlib.Path, out: pathlib.Path) -> None:
    """Gives the finished folder its name; what had that name before is deleted last."""
    if not out.exists():
        os.replace(folder, out)
        return
    aside = pathlib.Path(tempfile.mkdtemp(prefix=f"{out.name}.old-", dir=out.parent))
    try:
        os.replace(out, aside / out.name)
        try:
            os.replace(folder, out)
        except OSError:
            os.replace(aside / out.name, out)
            raise
    finally:
        shutil.rmtree(aside)


@contextlib.contextmanager
def _cleaned_up(folder: pathlib.Path) -> Iterator[None]:
    """Leaves no partial folder behind, neither an older one nor, on any failure, this one."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_arguments(
    method: str, workers: int, per_shard: int, longest_side: int | None, degenerate: str
) -> None:
    if method not in METHODS:
        raise ConversionError(f"Expected method in {sorted(METHODS)}. Received: {method!r}.")
    if degenerate not in DEGENERATE:
        raise ConversionError(f"Expected degenerate in {DEGENERATE}. Received: {degenerate!r}.")
    if workers < 1 or per_shard < 1:
        raise ConversionError(
            "Expected workers ≥ 1 and photographs_per_shard ≥ 1. "
            f"Received: {workers} and {per_shard}."
        )
    if longest_side is not None and longest_side < 16:
        raise ConversionError(f"Expected longest_side ≥ 16. Received: {longest_side}.")


def _check_out(out: pathlib.Path, overwrite: bool) -> None:
    if not out.exists():
        return
    if not overwrite:
        raise ConversionError(
            f"{out} exists. Choose another folder, or ask to replace it with --overwrite "
            "(in Python: overwrite=True)."
        )
    # Overwriting removes a folder; it and everything in it must be ours.
    if not (out / manifests.FILE_NAME).is_file():
        raise ConversionError(
            f"{out} is not a folder of records, so it is not overwritten. Choose another folder."
        )
    if foreign := _foreign_file(out):
        raise ConversionError(
            f"{foreign} is not part of a folder of records, so {out} is not overwritten. "
            "Move that file away or choose another folder."
        )


def _check_partial(folder: pathlib.Path) -> None:
    """What an interrupted conversion left behind may go; nothing else."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink() or _foreign_file(folder):
        raise ConversionError(
            f"{folder} is needed while converting, but exists and was not left by a conversion. "
            "Move it away or choose another folder."
        )


def _foreign_file(folder: pathlib.Path) -> pathlib.Path | None:
    """A file or folder in a folder of records that this package did not write."""
    for path in sorted(folder.iterdir()):
        ours = path.name in _OUR_FILES or path.match(records.SHARD_PATTERN)
        if not ours or path.is_dir():
            return path
    return None


def _explain(error: OSError | tf.errors.OpError, out: pathlib.Path) -> str:
    if isinstance(error, OSError):
        full = error.errno == errno.ENOSPC
        reason = error.strerror or str(error)
    else:  # what TFRecordWriter raises
        full = os.strerror(errno.ENOSPC) in error.message
        reason = error.message.split("; ")[-1]
    if full:
        return f"The disk is full; {out} was not written. Free some space or choose another disk."
    return f"{out} could not be written: {' '.join(reason.split())}."
