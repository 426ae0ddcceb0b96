"""The files that describe finished shards: the manifest and those of TensorFlow Datasets.

Owns what the notes of all shards add up to.
"""

import collections
import dataclasses
import shutil

from harl_tf.data import manifest as manifests
from mask_generation.conversion.failure import ConversionError
from mask_generation.conversion.folder.tfds_files import write_tfds_files
from mask_generation.conversion.per_photograph.example import bits_of
from mask_generation.conversion.plan import Conversion
from mask_generation.inputs.file_names import printable
from mask_generation.inputs.sources import Images


def describe(conversion: Conversion, found: Images) -> manifests.Manifest:
    """Writes the manifest and the files for TensorFlow Datasets.

    Args:
        conversion: A conversion all of whose shards are finished.
        found: Its photographs.

    Returns:
        The manifest.

    Raises:
        ConversionError: If shards are missing, or no photograph can be used.
    """
    shards = conversion.journal.noted()
    if len(shards) < len(conversion.shards):
        raise ConversionError(
            f"Only {len(shards)} of {len(conversion.shards)} shards are in {conversion.folder}. "
            "All machines that write them must see the same folder."
        )
    left_out = tuple(one for shard in shards for one in shard.left_out)
    if not any(shard.shard.records for shard in shards):
        shutil.rmtree(conversion.folder)
        raise ConversionError(
            f"None of the {conversion.images} photographs can be used; the first: "
            f"{printable(left_out[0].name)}: {left_out[0].reason}."
        )
    settings = conversion.settings
    method: dict[str, str | int | float] = {
        "name": settings.method,
        "flagged": settings.flagged,
    }
    if settings.longest_side is not None:
        method["longest_side"] = settings.longest_side
    infos = [manifests.MaskInfo("mask", settings.method)]
    for name in settings.also:
        regions = max(shard.regions.get(name, 0) for shard in shards)
        infos.append(manifests.MaskInfo(name, name, regions, bits_of(name)))
    flags, assumptions, labels = (
        sum((collections.Counter(getattr(shard, name)) for shard in shards), collections.Counter())
        for name in ("flags", "assumptions", "labels")
    )
    manifest = manifests.Manifest(
        method,
        found.classes,
        tuple(shard.shard for shard in shards),
        left_out,
        tuple(infos),
        dict(sorted(flags.items())),
        passed_over=dict(found.passed_over),
        assumptions=dict(sorted(assumptions.items())),
        layout=found.layout,
        class_counts={name: labels[str(label)] for label, name in enumerate(found.classes)},
        images_per_shard=conversion.per_shard,
    )
    manifest = dataclasses.replace(manifest, files=write_tfds_files(conversion.folder, manifest))
    manifest.write(conversion.folder)
    return manifest
