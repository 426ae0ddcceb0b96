"""From photographs to a folder of TFRecords.

Owns the order of the steps: shards are written to ``RECORDS.partial`` and recorded in a journal as
they finish, then the files that describe them are written, and only then is the folder renamed to
RECORDS. Whatever happens before that, RECORDS does not exist; when older RECORDS are replaced, they
are only deleted once the new ones are in place.
"""

import pathlib
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from tqdm import tqdm

from harl_tf.data import manifest as manifests
from mask_generation.conversion.checked import check_settings, check_work
from mask_generation.conversion.disk_space import check_before
from mask_generation.conversion.engines.pool import Pool
from mask_generation.conversion.failure import ConversionError as ConversionError
from mask_generation.conversion.failure import kept_if_finished
from mask_generation.conversion.folder.alone import alone
from mask_generation.conversion.folder.describe import describe
from mask_generation.conversion.folder.journal import fingerprint
from mask_generation.conversion.folder.output_folder import (
    OutputFolderError,
    check_out,
    check_partial,
    partial_of,
    put_in_place,
)
from mask_generation.conversion.per_photograph.example import FILES, Settings
from mask_generation.conversion.plan import Conversion, listed
from mask_generation.inputs.labels.class_names import read_classes
from mask_generation.interrupts import no_interrupt
from mask_generation.methods import DEFAULT
from mask_generation.workers import Limits


def convert(
    images: str | pathlib.Path | Sequence[str | pathlib.Path],
    out: str | pathlib.Path,
    method: str | None = None,
    workers: int = 1,
    images_per_shard: int = 1000,
    longest_side: int | None = None,
    flagged: str = "leave_out",
    overwrite: bool = False,
    progress: bool = True,
    also: Sequence[str] = (),
    masks: str | pathlib.Path | None = None,
    model: str | pathlib.Path | None = None,
    engine: str = "pool",
    beam_options: Sequence[str] = (),
    classes: str | pathlib.Path | Sequence[str] | None = None,
    seconds_per_photograph: float | None = 300.0,
    gigabytes_per_photograph: float | None = 6.0,
) -> manifests.Manifest:
    """Computes foreground masks for photographs and writes both as TFRecords.

    The bytes written depend neither on the number of workers nor on the engine. Photographs that
    cannot be read, or whose mask does not have two regions, are left out and listed in the manifest
    with the reason. An interrupted conversion leaves its finished shards in ``RECORDS.partial``;
    the same call continues with the first missing shard. With other settings or photographs it is
    refused, unless ``overwrite`` says to start over.

    Args:
        images: Folder of photographs, flat or with one subfolder per class (whose names become
            labels), perhaps below folders such as train and val; a text file with one path per
            line, followed by a TAB and a class if all have one; one or more tar files; or
            ``tfds:NAME[/config][:version][:split]``.
        out: Folder to create. It only appears once everything in it is complete.
        method: Name of the mask method, see ``mask_generation.METHODS``, or ``"files"`` for the
            user's own masks. Default: ``"files"`` if there are masks, else ``"balanced"``.
        workers: Number of processes that compute masks; 1 computes in this process. A script that
            uses more needs the usual ``if __name__ == "__main__":`` guard. Default: 1.
        images_per_shard: Photographs per TFRecord file. Default: 1000.
        longest_side: Shrink larger photographs to this longer side in pixels. Default: keep the
            size.
        flagged: What to do with photographs whose mask is flagged as not to be trusted:
            ``"leave_out"``, or ``"keep"`` them with the mask as it is and the flag in their
            records. Default: ``"leave_out"``.
        overwrite: Whether to replace an existing folder of records, and the finished shards of an
            interrupted conversion with other settings. Default: False.
        progress: Whether to show a progress bar and report what was found. Default: True.
        also: Names of the methods for further masks in every record: keys of
            ``mask_generation.METHODS`` or ``mask_generation.REGION_METHODS``, or ``"files"``.
            Default: none.
        masks: The user's own masks: a folder with ``a/b.png``, or ``a/b.npz`` with the array
            ``foreground``, for ``a/b.jpg``; or ``tfds:FEATURE`` for masks in a data set. Either may
            be followed by ``=VALUE,VALUE``, the values that are foreground; without them the files'
            contents decide (``mask_generation.inputs.mask_file``). Default: none.
        model: The model that the method needs, if it needs one. Default: none.
        engine: ``"pool"`` for processes on this machine, or ``"beam"`` for Apache Beam, whose
            workers must all see the photographs and the records under the same paths. Default:
            ``"pool"``.
        beam_options: Options of the Beam pipeline, such as ``["--runner=FlinkRunner"]``. Default:
            none, Beam's direct runner.
        classes: All class names in the order of their labels, or a text file with one per line; a
            class that is not among them is an error. Default: those that occur, sorted.
        seconds_per_photograph: Longest time for a photograph; what takes longer is left out, as is
            a photograph with which a process died three times. It holds where other processes work,
            that is with several workers. Default: 300, which only a fault exceeds; none for no
            limit.
        gigabytes_per_photograph: Largest memory of a process in addition to what it takes at rest;
            a photograph that needs more is left out. It holds on Linux, with several workers.
            Default: 6, nearly twice what the largest photographs take; none for no limit.

    Returns:
        The manifest.

    Raises:
        ConversionError: If the conversion fails.

    Example:
        >>> convert("no/such/folder", "records")
        Traceback (most recent call last):
        mask_generation.conversion.failure.ConversionError: There is no folder no/such/folder.
    """
    out = pathlib.Path(out)
    masks, model = (None if path is None else str(path) for path in (masks, model))
    method = method or (DEFAULT if masks is None else FILES)
    settings = Settings(method, longest_side, flagged, tuple(also), masks, model)
    limits = Limits(seconds_per_photograph, gigabytes_per_photograph)
    check_settings(settings)
    check_work(engine, workers, images_per_shard, limits)
    try:
        check_out(out, overwrite)
        target = out.resolve()  # if RECORDS is a link, work next to the folder it points to
        folder = partial_of(target)
        check_partial(folder)
        named = None if classes is None else read_classes(classes)
        found = listed(_plain(images), settings, named)
        room = check_before(getattr(found, "files", ()), settings, folder)
    except (OSError, OutputFolderError) as error:
        raise ConversionError(str(error)) from error
    conversion = Conversion(
        _plain(images),
        settings,
        len(found),
        images_per_shard,
        folder,
        fingerprint(found, settings, images_per_shard),
        named,
    )
    for note in (*found.layout, room):  # now, and not after days of work on wrong labels
        _say(note, progress)
    # Again: another conversion may have ended meanwhile.
    still_free = partial(_check_free, conversion, out, overwrite)
    with alone(target, out, still_free), kept_if_finished(conversion, out):
        finished, sentence = conversion.journal.resume()
        _say(sentence, progress)
        todo = [index for index in range(len(conversion.shards)) if index not in finished]
        started = time.monotonic()
        if engine == "beam":
            from mask_generation.conversion.engines.beam import run

            run(conversion, todo, beam_options)
        else:
            Pool(workers, limits, progress).run(conversion, found, todo)
        _say(_rate(conversion, todo, time.monotonic() - started), progress)
        manifest = describe(conversion, found)
        try:
            with no_interrupt():
                _check_still_free(still_free)
                put_in_place(folder, target)
        except KeyboardInterrupt:
            late = "" if folder.exists() else f"interrupted; {out} is complete."
            raise KeyboardInterrupt(late) from None
    return manifest


def _check_free(conversion: Conversion, out: pathlib.Path, overwrite: bool) -> None:
    """Refuses to replace records, or hours of work with other settings, without being asked to."""
    check_out(out, overwrite)
    if not overwrite and (others := conversion.journal.of_others()):
        shards = "1 finished shard" if others == 1 else f"{others} finished shards"
        raise OutputFolderError(
            f"{conversion.folder} has {shards} of a conversion with other "
            "settings, photographs, masks or versions of libraries. Go on with what it was begun "
            "with, or start over with --overwrite (in Python: overwrite=True)."
        )


def _check_still_free(still_free: Callable[[], None]) -> None:
    """Hours may have passed: nothing is replaced that somebody else put there meanwhile."""
    try:
        still_free()
    except OutputFolderError as error:
        raise ConversionError(str(error)) from error


def _say(sentence: str | None, progress: bool) -> None:
    if sentence and progress:
        tqdm.write(sentence, file=sys.stderr)


def _rate(conversion: Conversion, todo: Sequence[int], seconds: float) -> str:
    count = sum(map(conversion.size, todo))
    return f"{count} photographs in {seconds:.1f} s: {count / seconds:.1f} photographs/s."


def _plain(
    images: str | pathlib.Path | Sequence[str | pathlib.Path],
) -> str | tuple[str, ...]:
    if isinstance(images, str | pathlib.Path):
        return str(images)
    return tuple(map(str, images))
