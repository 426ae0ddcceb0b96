"""Checking a folder of records against its manifest.

Owns the list of what is wrong with a folder.
"""

import dataclasses
import pathlib

from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.conversion.checking.records import Seen, defect_in
from mask_generation.inputs.file_names import some


def verify(folder: str | pathlib.Path, deep: bool = False) -> manifests.Manifest:
    """Checks that a folder of records is complete and intact.

    Every byte is read: each shard must exist with its size and checksum, there may be no other
    shards, and the files for TensorFlow Datasets must be unchanged. Such records are those that
    ``convert`` wrote. Shards in quarantine are left out.

    Args:
        folder: Folder that ``convert`` wrote.
        deep: Whether to decode every record, too, for records of unknown origin. Images must decode
            with TensorFlow and with OpenCV; a mask must have its image's size, its bit depth and no
            more regions than the manifest states. Names must be unique, qualities within [0, 1],
            labels must belong to a class, and flags and classes occur as often as the manifest
            states. Default: False.

    Returns:
        The manifest.

    Raises:
        RecordsError: If something is wrong, naming the first bad file and record.

    Example:
        >>> verify("no/such/folder")
        Traceback (most recent call last):
        harl_tf.data.manifest.errors.RecordsError: no/such/folder is not a folder of records: ...
    """
    folder = pathlib.Path(folder)
    found = inspect(folder, deep)
    if found.defects:
        file, *others = found.defects
        more = f" {len(others)} more files are damaged: {some(others)}." if others else ""
        what = found.advice(file)
        raise manifests.RecordsError(f"{folder / file} {found.defects[file]}.{more} {what}")
    return manifests.read_manifest(folder)


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in a folder.

    Attributes:
        folder: The folder.
        manifest: Its manifest, as written, with the shards in quarantine.
        defects: What is wrong, by file, in words that follow the file's name.
        seen: What the whole shards hold, if they were decoded.
    """

    folder: pathlib.Path
    manifest: manifests.Manifest
    defects: dict[str, str]
    seen: Seen

    def advice(self, file: str) -> str:
        """What to do about a file."""
        if file in {shard.file for shard in self.manifest.shards}:
            return manifests.how_to_mend(self.folder)
        if file in {each.file for each in self.manifest.files}:
            return manifests.how_to_mend(self.folder).split(";")[0] + "."
        if file == manifests.FILE_NAME:
            return "Convert the photographs again."
        return "Remove it, or convert the photographs again."


def inspect(folder: pathlib.Path, deep: bool, quarantined: bool = False) -> Findings:
    """Looks at every file, and says what is wrong with each.

    Args:
        folder: Folder of records.
        deep: Whether to decode every record of the shards whose bytes are right.
        quarantined: Whether to look at shards in quarantine, too. Default: False.

    Raises:
        RecordsError: If there is no manifest, or it cannot be read.
    """
    manifest = manifests.stated_manifest(folder)
    quarantine = manifests.Quarantine.read(folder)
    passed_over = {} if quarantine is None or quarantined else quarantine.shards
    defects, seen = {}, Seen()
    for listed in (each for each in manifest.listed if each.file not in passed_over):
        wrong = manifests.damage(folder / listed.file, listed)
        if deep and not wrong and isinstance(listed, manifests.Shard):
            wrong = defect_in(folder / listed.file, listed, manifest, seen)
        if wrong:
            defects[listed.file] = wrong
    known = {shard.file for shard in manifest.shards}
    for path in sorted(folder.glob(records.SHARD_PATTERN)):
        if path.name not in known:
            defects[path.name] = "is not in the manifest"
    if deep and not defects:
        stated = manifests.read_manifest(folder) if passed_over else manifest
        if wrong := _other_counts(stated, seen):
            defects[manifests.FILE_NAME] = wrong
    return Findings(folder, manifest, defects, seen)


def _other_counts(stated: manifests.Manifest, seen: Seen) -> str | None:
    """What is wrong with the counts of a manifest, all of whose records are right."""
    if stated.flags != (flags := dict(seen.flags)):
        return f"states records with these flags: {stated.flags!s:.500}; there are {flags!s:.500}"
    counts = seen.class_counts(stated)
    if stated.class_counts and counts != stated.class_counts:  # earlier versions state none
        stated_counts = f"{stated.class_counts!s:.500}"
        return f"states records of these classes: {stated_counts}; there are {counts!s:.500}"
    return None
