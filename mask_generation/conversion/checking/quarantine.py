"""The decision to do without the damaged shards of a folder."""

import pathlib

from harl_tf.data import manifest as manifests
from mask_generation.conversion.checking.verify import inspect
from mask_generation.conversion.folder.alone import alone


def quarantine(folder: str | pathlib.Path) -> manifests.Quarantine | None:
    """Decides to do without the damaged shards: writes ``quarantine.json``.

    Readers then pass over these shards and say so. A shard that is whole again is taken out.

    Args:
        folder: Folder that ``convert`` wrote.

    Returns:
        The shards that are in quarantine now; None if all are whole.

    Raises:
        RecordsError: If no shard is left, or something else is wrong.
        ConversionError: If another process writes to the folder.
    """
    folder = pathlib.Path(folder)
    manifests.stated_manifest(folder)
    with alone(folder.resolve(), folder):
        return _decided(folder)


def _decided(folder: pathlib.Path) -> manifests.Quarantine | None:
    found = inspect(folder, deep=True, quarantined=True)
    shards = {shard.file for shard in found.manifest.shards}
    if others := [file for file in found.defects if file not in shards]:
        file = others[0]
        raise manifests.RecordsError(
            f"{folder / file} {found.defects[file]}; only shards can be put in quarantine. "
            f"{found.advice(file)}"
        )
    if not found.defects:
        (folder / manifests.QUARANTINE).unlink(missing_ok=True)
        return None
    flags, counts = dict(sorted(found.seen.flags.items())), found.seen.class_counts(found.manifest)
    decided = manifests.Quarantine(found.defects, flags, counts)
    decided.rest(found.manifest, folder)
    decided.write(folder)
    return decided
