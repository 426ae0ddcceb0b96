"""Shards that are damaged, and that the user has decided to do without.

Owns ``quarantine.json`` in a folder of records: nothing else makes a reader pass over a shard. The
command ``mask_generation verify --quarantine`` writes it, and ``--repair`` removes it.
"""

import dataclasses
import json
import os
import pathlib
import warnings

from harl_tf import files
from harl_tf.data.manifest.contents import Manifest
from harl_tf.data.manifest.errors import RecordsError

QUARANTINE = "quarantine.json"


@dataclasses.dataclass(frozen=True)
class Quarantine:
    """Shards that are not read, and what that leaves.

    Attributes:
        shards: What is wrong, by the shard's file name.
        flags: Number of records per flag in the other shards.
        class_counts: Number of records per class in the other shards.
    """

    shards: dict[str, str]
    flags: dict[str, int]
    class_counts: dict[str, int]

    @classmethod
    def read(cls, folder: pathlib.Path) -> "Quarantine | None":
        """The quarantine of a folder, or None.

        Raises:
            RecordsError: If the file cannot be read.
        """
        path = folder / QUARANTINE
        if not os.path.lexists(path):
            return None
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            found = cls(*(dict(fields[field.name]) for field in dataclasses.fields(cls)))
            counts = (*found.flags.values(), *found.class_counts.values())
            if not found.shards or any(type(count) is not int for count in counts):
                raise ValueError("it names no shard, or has other counts than whole numbers")
        except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise RecordsError(
                f"{path} should name the damaged shards to do without; it cannot be read: "
                f"{error!s:.300}. Remove it, and run python -m mask_generation verify on it."
            ) from error
        return found

    def write(self, folder: pathlib.Path) -> None:
        """Writes the file as a whole, so that no reader meets a part of it."""
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)
        files.write_text(folder / QUARANTINE, text + "\n")

    def rest(self, manifest: Manifest, folder: pathlib.Path) -> Manifest:
        """What the manifest says of the other shards.

        Raises:
            RecordsError: If none is left, or the manifest has no such shard.
        """
        strange = self.shards.keys() - {shard.file for shard in manifest.shards}
        rest = tuple(shard for shard in manifest.shards if shard.file not in self.shards)
        if strange or not rest:
            wrong = (
                f"it names {min(strange)!r:.200}, which is none"
                if strange
                else "it names all of them"
            )
            raise RecordsError(
                f"{folder / QUARANTINE} should name some shards of the manifest; {wrong}. Remove "
                "it, and run python -m mask_generation verify on the folder."
            )
        return dataclasses.replace(
            manifest, shards=rest, flags=self.flags, class_counts=self.class_counts
        )


def warn_of_quarantine(folder: str | pathlib.Path) -> None:
    """Says that a reader passes over shards, if it does."""
    if (found := Quarantine.read(pathlib.Path(folder))) is not None:
        count = len(found.shards)
        warnings.warn(
            f"{count} damaged {'shard is' if count == 1 else 'shards are'} in quarantine and not "
            f"read: {pathlib.Path(folder) / QUARANTINE}.",
            stacklevel=3,
        )
