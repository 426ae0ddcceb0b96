"""Photographs of a data set of TensorFlow Datasets.

Owns how such a data set is named, and which of its features are the photograph, the label and the
mask. Only this module imports TensorFlow Datasets; its photographs are read in the main process, so
that workers need not import it.
"""

import dataclasses
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mask_generation.inputs.sources.source import InMemory, Source
from mask_generation.reason import reason_of

PREFIX = "tfds:"
_WHERE = re.compile(r"(?P<name>[^:]+(:[\d*]+\.[\d*]+\.[\d*]+)?)(:(?P<split>.+))?")


@dataclasses.dataclass(frozen=True)
class TfdsSplit:
    """A split of a data set, in file order.

    Attributes:
        builder: The prepared data set.
        split: Its split, such as ``"train"`` or ``"train[:10%]"``.
        image: Name of the feature that is the photograph.
        label: Name of the feature that is the class, or None.
        mask: Name of the feature that is the mask, or None.
    """

    builder: Any
    split: str
    image: str
    label: str | None
    mask: str | None

    @property
    def passed_over(self) -> Mapping[str, int]:
        """Nothing: a data set holds examples, not files."""
        return {}

    @property
    def layout(self) -> tuple[str, ...]:
        """Nothing: a data set says what its labels are."""
        return ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their labels; empty if there are no labels."""
        return () if self.label is None else tuple(self.builder.info.features[self.label].names)

    def __len__(self) -> int:
        """Number of photographs."""
        return self.builder.info.splits[self.split].num_examples

    def part(self, start: int, stop: int) -> Iterator[Source]:
        """The photographs from ``start`` up to ``stop``, named as TensorFlow Datasets does."""
        if start >= stop:  # which TensorFlow Datasets refuses
            return
        import tensorflow_datasets as tfds

        wanted = {name: True for name in (self.image, self.label, self.mask) if name is not None}
        still_encoded = {
            name: tfds.decode.SkipDecoding() for name in (self.image, self.mask) if name is not None
        }
        # One file after another; by default, sixteen are interleaved in an order that depends on
        # the part.
        order = tfds.ReadConfig(
            interleave_cycle_length=1, add_tfds_id=True, try_autocache=False, skip_prefetch=True
        )
        plain = self.split in self.builder.info.splits and "[" not in self.split
        examples = self.builder.as_dataset(
            split=f"{self.split}[{start}:{stop}]" if plain else self.split,
            shuffle_files=False,
            read_config=order,
            decoders=tfds.decode.PartialDecoding(wanted, decoders=still_encoded),
        )
        if not plain:
            examples = examples.skip(start).take(stop - start)
        for example in examples.as_numpy_iterator():
            yield InMemory(
                example[self.image],
                example["tfds_id"].decode("utf-8", "backslashreplace"),
                -1 if self.label is None else int(example[self.label]),
                None if self.mask is None else example[self.mask],
            )

    def marks(self) -> Iterator[str]:
        """Name, version and split of the data set, and the lengths of its files."""
        info = self.builder.info
        yield f"{info.full_name} {self.split} {self.image} {self.label} {self.mask}"
        for file in info.splits[self.split].file_instructions:
            yield f"{pathlib.Path(file.filename).name} {file.skip} {file.take}"


def read_tfds(where: str, mask: str | None = None) -> TfdsSplit:
    """Opens a data set by name, and prepares it if necessary.

    The photograph is the only image feature, or ``image`` if there are several; the label is the
    only class feature, or ``label`` if there are several.

    Args:
        where: ``tfds:NAME[/config][:version][:split]``, or the folder of a prepared data set
            instead of the name. The default split is ``train``.
        mask: Name of the feature that is the mask. Default: none.

    Returns:
        The photographs.

    Raises:
        OSError: If there is no such data set, split or feature.

    Example:
        >>> read_tfds("tfds:no_such_data_set")
        Traceback (most recent call last):
        OSError: TensorFlow Datasets cannot open no_such_data_set: ...
    """
    import tensorflow_datasets as tfds

    named = _WHERE.fullmatch(where.removeprefix(PREFIX))
    if named is None:
        raise OSError(f"Expected tfds:NAME[/config][:version][:split]. Received: {where}.")
    name, split = named["name"], named["split"] or "train"
    try:
        if (pathlib.Path(name) / "dataset_info.json").is_file():
            builder = tfds.builder_from_directory(name)
        else:
            builder = tfds.builder(name)
            builder.download_and_prepare()  # returns at once if already done
        number = builder.info.splits[split].num_examples
    # Names, configurations, versions, splits and downloads can fail with any kind of error.
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise OSError(
            f"TensorFlow Datasets cannot open {where[len(PREFIX) :]}: {reason_of(first or error)}"
        ) from error
    if not number:
        raise FileNotFoundError(f"No photograph in {where}: the split is empty.")
    features = builder.info.features
    images = [key for key in features if type(features[key]) is tfds.features.Image]
    labels = [key for key in features if isinstance(features[key], tfds.features.ClassLabel)]
    image = _the_one(images, "image", where)
    if image is None:
        raise OSError(
            f"Expected an image among the features of {where}. Received: {list(features)}."
        )
    masks = [key for key in features if isinstance(features[key], tfds.features.Image)]
    if mask is not None and mask not in masks:
        raise OSError(
            f"Expected the feature with the masks of {where} in {masks}. Received: {mask!r}."
        )
    label = _the_one(labels, "label", where) if len(labels) < 2 or "label" in labels else None
    return TfdsSplit(builder, split, image, label, mask)


def _the_one(names: list[str], preferred: str, where: str) -> str | None:
    if preferred in names:
        return preferred
    if len(names) > 1:
        raise OSError(
            f"Expected one feature of {where} as the {preferred}, or one of that name. "
            f"Received: {names}."
        )
    return names[0] if names else None
