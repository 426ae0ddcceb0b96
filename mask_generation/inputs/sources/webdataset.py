"""Labels of WebDataset's samples: the members ``KEY.cls`` or ``KEY.json`` beside ``KEY.jpg``.

Owns what a sample is, a name up to its first dot, and what such members say of its class. Where
both exist, ``KEY.cls`` counts.
"""

import dataclasses
import json
import posixpath
import tarfile
from collections import Counter
from collections.abc import Sequence

from mask_generation.inputs.file_names import as_text, printable
from mask_generation.inputs.labels.class_folders import unlabeled_note
from mask_generation.inputs.labels.labeling import UNLABELED, Labeling, numbered

_CLASS, _METADATA = ".cls", ".json"
_KEYS = ("label", "cls")
# Members of more bytes than a class or the metadata of a photograph have are not read.
_LARGEST = {_CLASS: 2**10, _METADATA: 2**20}


@dataclasses.dataclass(frozen=True)
class Samples:
    """What the members of tars say of the classes of photographs.

    Attributes:
        of_ending: Class by the key of the sample, by the ending of the member that names it.
    """

    of_ending: dict[str, dict[str, str]] = dataclasses.field(
        default_factory=lambda: {_CLASS: {}, _METADATA: {}}
    )

    def read(self, name: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Reads a member, if it can name a class.

        Args:
            name: Its name.
            tar: The tar it is in, which is being read from the beginning.
            member: The member.

        Raises:
            OSError: If it is named ``KEY.cls`` and holds no class.
        """
        key, ending = _key_and_ending(name)
        if ending not in _LARGEST or not member.isfile():
            return
        content = tar.extractfile(member) if member.size <= _LARGEST[ending] else None
        data = b"" if content is None else content.read()
        label = _class_of_json(data) if ending == _METADATA else _class_of_text(data, name)
        if label is not None:
            self.of_ending[ending].setdefault(key, label)  # the first photograph of a name counts

    @property
    def used(self) -> Counter[str]:
        """Number of members that named a class, by their ending."""
        return Counter({ending: len(labels) for ending, labels in self.of_ending.items()})

    def labeling(self, names: Sequence[str], classes: Sequence[str] | None) -> Labeling | None:
        """The labels of photographs.

        Args:
            names: Their names.
            classes: All class names in the order of their labels. Default: those that occur.

        Returns:
            The labels; None if no member names a class of one of them.

        Raises:
            OSError: If a class is not among the given ones.

        Example:
            >>> samples = Samples({".cls": {"a": "1"}, ".json": {}})
            >>> samples.labeling(["a.jpg"], ["cat", "dog"]).labels
            [1]
        """
        texts, metadata = self.of_ending[_CLASS], self.of_ending[_METADATA]
        keys = [_key_and_ending(name)[0] for name in names]
        found = [texts.get(key, metadata.get(key)) for key in keys]
        if not any(found):
            return None
        ordered, labels = numbered((name for name in found if name is not None), classes)
        bare = [name is None for name in found]
        kinds = {_CLASS if key in texts else _METADATA for key in keys if key in texts | metadata}
        endings = " and ".join(sorted(kinds))
        why = f"has no {endings} that names a class"
        return Labeling(
            ordered,
            [UNLABELED if name is None else labels[name] for name in found],
            (f"The labels are those of members {endings}.", *unlabeled_note(names, bare, why)),
        )


def _key_and_ending(name: str) -> tuple[str, str]:
    """The key of a sample and the rest of a member's name, from its first dot.

    Example:
        >>> _key_and_ending("x/0001.seg.PNG")
        ('x/0001', '.seg.png')
    """
    folder, file = posixpath.split(name)
    key, dot, ending = file.partition(".")
    return posixpath.join(folder, key), (dot + ending).lower()


def _class_of_text(data: bytes, name: str) -> str:
    text = data.decode("utf-8", "replace").strip()
    if not text or "\n" in text or "\0" in text or "\ufffd" in text:
        raise OSError(
            f"Expected a whole number or the name of a class in {printable(as_text(name))}. "
            f"Received: {data[:20]!r}."
        )
    return text


def _class_of_json(data: bytes) -> str | None:
    """The class that metadata name, if they do."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):  # the latter from thousands of brackets
        return None
    for key in _KEYS if isinstance(fields, dict) else ():
        value = fields.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None
