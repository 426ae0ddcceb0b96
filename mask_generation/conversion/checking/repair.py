"""Making missing and damaged shards again, from the photographs.

Owns the guarantee that a repaired file has exactly the bytes that were written first: it is made in
a folder of its own, and only put in place if its checksum is the manifest's.
"""

import contextlib
import os
import pathlib
import shlex
import shutil
from collections.abc import Iterator, Sequence

from harl_tf.data import manifest as manifests
from mask_generation.conversion.checked import check_settings
from mask_generation.conversion.checking.verify import Findings, inspect
from mask_generation.conversion.engines.pool import Pool
from mask_generation.conversion.failure import ConversionError, in_a_sentence
from mask_generation.conversion.folder.alone import alone
from mask_generation.conversion.folder.journal import fingerprint
from mask_generation.conversion.folder.output_folder import OutputFolderError, check_partial
from mask_generation.conversion.folder.tfds_files import write_tfds_files
from mask_generation.conversion.per_photograph.example import Settings
from mask_generation.conversion.plan import Conversion, listed
from mask_generation.inputs.sources import TFDS_PREFIX, Images
from mask_generation.inputs.sources.source import REPEATED


def repair(
    folder: str | pathlib.Path,
    images: str | pathlib.Path | Sequence[str | pathlib.Path],
    masks: str | pathlib.Path | None = None,
    model: str | pathlib.Path | None = None,
    workers: int = 1,
    progress: bool = True,
) -> list[str]:
    """Makes the missing and damaged files of a folder again.

    The settings are those of the manifest. What was in quarantine is made again, too, and the
    quarantine ends.

    Args:
        folder: Folder that ``convert`` wrote.
        images: The photographs that it was made from, as for ``convert``.
        masks: The user's own masks, if it was made with them.
        model: The model, if its method needs one.
        workers: Number of processes. Default: 1.
        progress: Whether to show a progress bar. Default: True.

    Returns:
        The names of the files that were made again; empty if all were whole.

    Raises:
        RecordsError: If the manifest cannot be read.
        ConversionError: If the photographs, the masks or the version of a library are not those
            that the records were made with, or a file of another kind is in the way. Files that
            could be made again are in place nevertheless.
    """
    folder = pathlib.Path(folder)
    target = folder.resolve()
    manifests.stated_manifest(folder)
    with alone(target, folder):
        found = inspect(folder, deep=False, quarantined=True)
        known = {listed.file for listed in found.manifest.listed}
        if strange := [file for file in found.defects if file not in known]:
            raise ConversionError(f"{folder / strange[0]} {found.defects[strange[0]]}. Remove it.")
        aside = target.with_name(f".{target.name}.repair")
        try:
            check_partial(aside)
        except OutputFolderError as error:
            raise ConversionError(str(error)) from None
        with _in_sentences(folder, aside):
            if found.defects:
                wanted = _wanted(found, images, masks, model, aside)
                _make_again(found, *wanted, Pool(workers, progress=progress))
            shutil.rmtree(aside, ignore_errors=True)
        (folder / manifests.QUARANTINE).unlink(missing_ok=True)
    return list(found.defects)


def _wanted(
    found: Findings,
    images: str | pathlib.Path | Sequence[str | pathlib.Path],
    masks: str | pathlib.Path | None,
    model: str | pathlib.Path | None,
    aside: pathlib.Path,
) -> tuple[Conversion, Images]:
    """The conversion that the records came from, and its photographs."""
    manifest = found.manifest
    side = manifest.method.get("longest_side")
    settings = Settings(
        str(manifest.method["name"]),
        None if side is None else int(side),
        str(manifest.method["flagged"]),
        tuple(mask.name for mask in manifest.masks[1:]),
        None if masks is None else str(masks),
        None if model is None else str(model),
    )
    check_settings(settings)
    where = str(images) if isinstance(images, str | pathlib.Path) else tuple(map(str, images))
    try:
        opened, classes = listed(where, settings), None
        if opened.classes != manifest.classes and not _from_tfds(where):
            classes = manifest.classes or None  # they had been given
            opened = listed(where, settings, classes)
    except OSError as error:
        raise ConversionError(str(error)) from error
    if len(opened) != (count := manifest.records + len(manifest.left_out)):
        raise ConversionError(
            f"{found.folder} was made from {count} photographs; there are {len(opened)} now. "
            "Convert them again."
        )
    per_shard = manifest.images_per_shard
    mark = fingerprint(opened, settings, per_shard)
    conversion = Conversion(where, settings, count, per_shard, aside, mark, classes)
    if conversion.shards != tuple(shard.file for shard in manifest.shards):
        raise ConversionError(
            f"{found.folder} should have {len(conversion.shards)} shards of {per_shard} "
            f"photographs; its manifest has {len(manifest.shards)}. Convert them again."
        )
    return conversion, opened


def _from_tfds(where: str | tuple[str, ...]) -> bool:
    return str(where if isinstance(where, str) else where[0]).startswith(TFDS_PREFIX)


def _make_again(found: Findings, conversion: Conversion, opened: Images, pool: Pool) -> None:
    """Puts the files in place that are what they were, once all are made."""
    manifest, aside = found.manifest, conversion.folder
    finished, _ = conversion.journal.resume()
    damaged = [n for n, name in enumerate(conversion.shards) if name in found.defects]
    todo = [index for index in damaged if index not in finished]
    # They have no part in the bytes, and may be what took too long. Of a name that occurs twice,
    # the first photograph has, and the source knows the second.
    unseen = {name: why for name, why in manifest.left_out if why != REPEATED}
    pool.run(conversion, opened, todo, unseen)
    made: dict[str, manifests.Shard | manifests.File] = {
        finished.shard.file: finished.shard for finished in conversion.journal.noted()
    }
    if any(file.file in found.defects for file in manifest.files):
        made |= {file.file: file for file in write_tfds_files(aside, manifest)}
    others = []
    for each in manifest.listed:
        if each.file not in found.defects:
            continue
        if made.get(each.file) == each:
            os.replace(aside / each.file, found.folder / each.file)
        else:
            others.append(each.file)
    if others:
        shutil.rmtree(aside)
        again = len(found.defects) - len(others)
        raise ConversionError(
            f"{found.folder / others[0]} would have other bytes than before: the photographs, the "
            "masks, or the versions of harl_tf or of the libraries that decode and compute are not "
            f"those that it was made with. {again} of {len(found.defects)} files were made again. "
            "Convert the photographs again, or do without the others: "
            f"python -m mask_generation verify {shlex.quote(str(found.folder))} --quarantine."
        )


@contextlib.contextmanager
def _in_sentences(folder: pathlib.Path, aside: pathlib.Path) -> Iterator[None]:
    """Turns a failure into one sentence that says what is kept."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        kept = ""
        if any(aside.glob("journal/*.json")):
            kept = f"What was made is kept in {aside}; the same command continues from there."
        else:
            shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(f"interrupted; {kept}" if kept else "") from None
        if sentence := in_a_sentence(error, folder):
            raise ConversionError(f"{sentence} {kept}".strip()) from error
        raise
