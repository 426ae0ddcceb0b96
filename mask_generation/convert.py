"""From a folder of photographs to a folder of TFRecords.

Owns the order of things: shards are written one after another into ``OUT.partial``, the manifest
last, and only then does the folder take its name. Whatever happens before that, OUT does not exist.
"""

import concurrent.futures
import contextlib
import errno
import hashlib
import multiprocessing
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import tensorflow as tf
from tqdm import tqdm

from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.example import DEGENERATE, Example, Settings, Unusable, make_example
from mask_generation.methods import METHODS
from mask_generation.photographs import Source, find_photographs

# Read by OpenMP, OpenBLAS and MKL when a worker first imports NumPy: with a worker per core, more
# threads than one in each only get in each other's way.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
        mask_generation.convert.ConversionError: There is no folder no/such/folder.
    """
    out = pathlib.Path(out)
    _check_arguments(method, workers, photographs_per_shard, longest_side, degenerate)
    _check_out(out, overwrite)
    try:
        sources, classes = find_photographs(photographs)
    except OSError as error:
        raise ConversionError(str(error)) from error
    settings = Settings(method, longest_side, degenerate)
    folder = out.with_name(out.name + ".partial")
    try:
        with _cleaned_up(folder), _workers(workers) as run:
            done = run(partial(make_example, settings=settings), sources)
            done = tqdm(done, total=len(sources), unit="photo", disable=not progress)
            described: dict[str, str | int | float] = {"name": method, "degenerate": degenerate}
            if longest_side is not None:
                described["longest_side"] = longest_side
            manifest = _write(done, len(sources), photographs_per_shard, folder, described, classes)
            if overwrite and out.exists():
                shutil.rmtree(out)
            os.replace(folder, out)
    except OSError as error:
        raise ConversionError(_explain(error, out)) from error
    except tf.errors.OpError as error:  # what TFRecordWriter raises when the disk is full
        raise ConversionError(f"Writing {out} failed: {error.message}") from error
    except concurrent.futures.process.BrokenProcessPool as error:
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


@contextlib.contextmanager
def _cleaned_up(folder: pathlib.Path) -> Iterator[None]:
    """Leaves no partial folder behind, neither an older one nor, on any failure, this one."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _workers(count: int) -> Iterator[Callable[..., Iterable[Example | Unusable]]]:
    """A ``map`` whose results come in the order of the input, from this or other processes."""
    if count == 1:
        yield map
        return
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    # Forking a process that has TensorFlow's threads in it can hang; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(count, mp_context=context)
    try:
        yield partial(_map_in_blocks, pool, count)
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _map_in_blocks(
    pool: concurrent.futures.Executor,
    workers: int,
    function: Callable[[Source], Example | Unusable],
    sources: Sequence[Source],
) -> Iterator[Example | Unusable]:
    """Like ``pool.map``, but with a bounded number of results waiting in memory."""
    pending: list[concurrent.futures.Future[Example | Unusable]] = []
    for source in sources:
        pending.append(pool.submit(function, source))
        if len(pending) >= 16 * workers:
            yield pending.pop(0).result()
    for future in pending:
        yield future.result()


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
        raise ConversionError(f"{out} exists. Choose another folder or ask to overwrite it.")
    # Overwriting removes a folder; it must be one of ours.
    if not (out / manifests.FILE_NAME).is_file():
        raise ConversionError(f"{out} exists and is not a folder of records; it is left alone.")


def _explain(error: OSError, out: pathlib.Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk is full; {out} was not written."
    return f"Writing {out} failed: {error.strerror or error}."
