"""From photographs to a folder of TFRecords.

Owns the order of the steps: shards are written to ``RECORDS.partial`` and recorded in a journal as
they finish, then the files that describe them are written, and only then is the folder renamed to
RECORDS. Whatever happens before that, RECORDS does not exist; when older RECORDS are replaced, they
are only deleted once the new ones are in place.
"""

import contextlib
import itertools
import pathlib
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial

from tqdm import tqdm

from harl_tf.data import manifest as manifests
from mask_generation.conversion.describe import describe
from mask_generation.conversion.example import (
    FILES,
    FLAGGED,
    Settings,
    load,
    make_example,
)
from mask_generation.conversion.failure import ConversionError as ConversionError
from mask_generation.conversion.failure import in_a_sentence, kept_if_finished
from mask_generation.conversion.journal import fingerprint
from mask_generation.conversion.output_folder import (
    OutputFolderError,
    check_out,
    check_partial,
    put_back,
    put_in_place,
)
from mask_generation.conversion.own_masks import parse_masks
from mask_generation.conversion.plan import Conversion
from mask_generation.inputs.labels.class_names import read_classes
from mask_generation.inputs.sources import Images, open_images
from mask_generation.interrupts import no_interrupt
from mask_generation.left_out import LeftOut
from mask_generation.lock import Lock, LockedError
from mask_generation.methods import DEFAULT, METHODS
from mask_generation.methods.regions import REGION_METHODS
from mask_generation.workers import ordered_map

ENGINES = ("pool", "beam")
"""What runs the work: processes on this machine, or an Apache Beam pipeline."""


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
) -> manifests.Manifest:
    """Computes foreground masks for photographs and writes both as TFRecords.

    The bytes written depend neither on the number of workers nor on the engine. Photographs that
    cannot be read, or whose mask does not have two regions, are left out and listed in the manifest
    with the reason. An interrupted conversion leaves its finished shards in ``RECORDS.partial``;
    the same call continues with the first missing shard. With other settings or photographs it
    starts over.

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
        overwrite: Whether to replace an existing folder of records. Default: False.
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
            a photograph with which a process died twice. It holds where other processes work, that
            is with several workers. Default: 300, which only a fault exceeds; none for no limit.

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
    _check_settings(settings)
    _check_engine(engine, workers, images_per_shard, seconds_per_photograph)
    try:
        check_out(out, overwrite)
        target = out.resolve()  # if RECORDS is a link, work next to the folder it points to
        folder = target.with_name(target.name + ".partial")
        check_partial(folder)
        feature = None if masks is None else parse_masks(masks).feature
        named = None if classes is None else read_classes(classes)
        found = open_images(images, feature, named)
    except (OSError, OutputFolderError) as error:
        raise ConversionError(str(error)) from error
    conversion = Conversion(
        _plain(images),
        feature,
        settings,
        len(found),
        images_per_shard,
        folder,
        fingerprint(found, settings, images_per_shard),
        named,
    )
    for note in found.layout:  # now, and not after days of work on wrong labels
        _say(note, progress)
    with _alone(target, out, overwrite), kept_if_finished(conversion, out):
        finished, sentence = conversion.journal.resume()
        _say(sentence, progress)
        todo = [index for index in range(len(conversion.shards)) if index not in finished]
        started = time.monotonic()
        if engine == "beam":
            from mask_generation.conversion.beam import run

            run(conversion, todo, beam_options)
        else:
            _run_in_processes(conversion, found, todo, workers, progress, seconds_per_photograph)
        _say(_rate(conversion, todo, time.monotonic() - started), progress)
        manifest = describe(conversion, found)
        try:
            with no_interrupt():
                conversion.journal.remove()
                put_in_place(folder, target)
        except KeyboardInterrupt:
            late = "" if folder.exists() else f"interrupted; {out} is complete."
            raise KeyboardInterrupt(late) from None
    return manifest


def _run_in_processes(
    conversion: Conversion,
    images: Images,
    todo: Sequence[int],
    workers: int,
    progress: bool,
    seconds: float | None,
) -> None:
    """Writes the shards one after another from a single stream of results."""
    before = conversion.images - sum(map(conversion.size, todo))
    with ordered_map(workers, seconds) as run:
        results = run(
            partial(make_example, settings=conversion.settings),
            conversion.sources(images, todo),
            lambda source, reason: LeftOut(source.name, reason),
        )
        with tqdm(
            results,
            total=conversion.images,
            initial=before,
            unit="photo",
            disable=not progress,
        ) as done:
            stream = iter(done)
            for index in todo:
                conversion.write(index, itertools.islice(stream, conversion.size(index)))
            for _ in stream:  # lets the progress bar finish
                pass


@contextlib.contextmanager
def _alone(target: pathlib.Path, out: pathlib.Path, overwrite: bool) -> Iterator[None]:
    """Within the block, no other process converts to this folder."""
    with contextlib.ExitStack() as held:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(Lock(target.with_name(f".{target.name}.lock"), out))
            put_back(target)
            check_out(out, overwrite)  # again: another conversion may have ended meanwhile
        except (LockedError, OutputFolderError) as error:
            raise ConversionError(str(error)) from None
        except FileExistsError as error:  # a file where a folder of the path should be
            raise ConversionError(f"{out} could not be written: Not a directory.") from error
        except OSError as error:
            raise ConversionError(in_a_sentence(error, out)) from error
        yield


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


def _check_settings(settings: Settings) -> None:
    if settings.flagged not in FLAGGED:
        raise ConversionError(f"Expected flagged in {FLAGGED}. Received: {settings.flagged!r}.")
    if settings.longest_side is not None and settings.longest_side < 16:
        raise ConversionError(f"Expected longest_side ≥ 16. Received: {settings.longest_side}.")
    uses_files = FILES in (settings.method, *settings.also)
    if uses_files != (settings.masks is not None):
        raise ConversionError(
            f"Expected masks together with the method {FILES!r}, or neither. Received: "
            f"masks={settings.masks!r} with method={settings.method!r}, also={settings.also}."
        )
    try:
        folder = None if settings.masks is None else parse_masks(settings.masks).folder
        if settings.method != FILES:
            load(settings.method, settings.model)
    except Exception as error:  # methods with a model have their own errors
        raise ConversionError(str(error)) from error
    if folder is not None and not pathlib.Path(folder).is_dir():
        raise ConversionError(f"There is no folder {folder}.")
    known = sorted({*METHODS, *REGION_METHODS, FILES})
    if bad := [name for name in settings.also if name not in known]:
        raise ConversionError(f"Expected also in {known}. Received: {bad[0]!r}.")
    if len(set(settings.also)) < len(settings.also):
        raise ConversionError(f"Expected each further mask once. Received: {settings.also}.")


def _check_engine(engine: str, workers: int, per_shard: int, seconds: float | None) -> None:
    if engine not in ENGINES:
        raise ConversionError(f"Expected engine in {ENGINES}. Received: {engine!r}.")
    if workers < 1 or per_shard < 1:
        raise ConversionError(
            f"Expected workers ≥ 1 and images_per_shard ≥ 1. Received: {workers} and {per_shard}."
        )
    if seconds is not None and not seconds > 0:
        raise ConversionError(f"Expected seconds_per_photograph > 0. Received: {seconds}.")
