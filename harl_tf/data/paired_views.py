"""The stream of paired views that pretraining reads.

Owns order, randomness and batching: records in, dict batches out. Every random draw is a function
of (seed, epoch, example), so the stream can start at any epoch and continue exactly as if it had
never stopped, on any number of replicas and threads.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import DTypeLike, NDArray

from harl_tf.data import geometry, records
from harl_tf.data.color_in_stream import Colors, colored
from harl_tf.data.draws import draw
from harl_tf.data.kept_memory import keep_freed_memory
from harl_tf.data.manifest import (
    Manifest,
    MaskInfo,
    RecordsError,
    read_manifest,
    warn_of_quarantine,
)
from harl_tf.data.python_calls import numpy_call
from harl_tf.data.shard_files import OPEN_SHARDS, ShardFiles
from harl_tf.data.view_cutter import EncodedImage, ViewCutter, Views
from harl_tf.layers import random_color

FLAGGED = ("keep", "leave_out", "blank")
"""What to do with records whose mask is flagged as not to be trusted."""

_TOGETHER = 64
"""Largest number of records per call: small enough that a batch splits into calls for every CPU."""

_BATCHES_AHEAD = 2
"""Number of batches to prefetch for the training step."""


@dataclasses.dataclass(frozen=True)
class PairedViews:
    """Two augmented views of every photograph in a folder of records, batch by batch.

    A batch is a dict of ``view1``, ``view2`` (uint8, ``(batch, size, size, 3)``), ``mask1``,
    ``mask2`` (``(batch, size, size)``, region numbers, 0 = background; uint8, or int32 if the
    records store them with 16 bits), ``window1``, ``window2`` (int32, ``(batch, 7)``: top, left,
    height, width of the view in the photograph, 1 if mirrored, height and width of the photograph),
    ``draws1``, ``draws2`` (float32, uniform in [0, 1): the random numbers for the color
    augmentation on the device) and ``seed`` (int32, ``(batch, 2)``: seeds for the methods' own
    random choices, such as which cells to draw).

    Attributes:
        folder: Folder of records, as ``mask_generation.convert`` writes it.
        batch_size: Photographs per batch, over all replicas.
        image_size: Side of the views in pixels. Default: 224, that of ImageNet's papers; on a few
            CPU cores, 48 learn more in the same time.
        seed: Any int; a different seed gives different views in a different order. Default: 0.
        crop1: Geometry of the first view. Default: ``RandomResizedCrop()``.
        crop2: Geometry of the second view. Default: ``RandomResizedCrop()``.
        passes_per_epoch: Passes through the photographs per epoch; use more than one for small
            sets, whose epochs would otherwise be very short. Default: 1.
        shuffle_block: Largest number of records shuffled together; they come from up to 96 shards,
            whose order is drawn for every pass. A set that fits into one block is shuffled as a
            whole; of another, a record is always in the same part of a pass if no more shards than
            that hold it. Default: 4096.
        mask: Which mask of the records to use: ``"mask"``, the foreground, or the name of a further
            mask. Set the method's number of regions to ``regions`` then. Default: ``"mask"``.
        flagged: What to do with records whose foreground mask is flagged as not to be trusted:
            ``"keep"`` them as they are; ``"leave_out"``, which makes epochs shorter; or
            ``"blank"``, which makes the mask all background. With a blank mask, HAPiCL's pixel term
            and HARL's foreground term skip the photograph while the instance terms still use it;
            for HARL's background term and DetCon the whole view is one region. Default: ``"keep"``.

    Raises:
        RecordsError: If the folder is incomplete, has fewer usable records than a batch, or its
            records do not have that mask.
        ValueError: If a setting is out of range.

    Example:
        ::

            views = harl_tf.data.PairedViews("records", batch_size=64, image_size=96)
            model.fit(views, epochs=100)
    """

    folder: str | pathlib.Path
    batch_size: int
    image_size: int = 224
    seed: int = 0
    crop1: geometry.RandomResizedCrop = dataclasses.field(
        default_factory=geometry.RandomResizedCrop
    )
    crop2: geometry.RandomResizedCrop = dataclasses.field(
        default_factory=geometry.RandomResizedCrop
    )
    passes_per_epoch: int = 1
    shuffle_block: int = 4096
    mask: str = records.MASK
    flagged: str = "keep"

    def __post_init__(self) -> None:
        """Checks the settings and that the records exist."""
        for name in ("batch_size", "image_size", "passes_per_epoch", "shuffle_block"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} ≥ 1. Received: {name}={getattr(self, name)}.")
        if self.flagged not in FLAGGED:
            raise ValueError(f"Expected flagged in {FLAGGED}. Received: flagged={self.flagged!r}.")
        manifest = read_manifest(self.folder)
        warn_of_quarantine(self.folder)
        self._mask_info(manifest)
        available = self._available(manifest)
        if available < self.batch_size:
            left_out = manifest.records - available
            besides = f" besides {left_out} whose mask is flagged" if left_out else ""
            raise RecordsError(
                f"{self.folder} holds {available} records{besides}, fewer than one batch of "
                f"batch_size={self.batch_size}. Use a smaller batch."
            )

    @property
    def steps_per_epoch(self) -> int:
        """Batches per epoch; each pass drops an incomplete last batch."""
        per_pass = self._available(read_manifest(self.folder)) // self.batch_size
        return per_pass * self.passes_per_epoch

    @property
    def regions(self) -> int:
        """The largest number of regions in a mask, the background included; at least 2."""
        return max(2, self._mask_info(read_manifest(self.folder)).regions)

    def settings(self) -> dict[str, Any]:
        """What must be equal for a run to continue: the records' fingerprint and the settings."""
        fields = dataclasses.asdict(self)
        del fields["folder"]
        return {"records": read_manifest(self.folder).digest(), **fields}

    def from_epoch(
        self,
        epoch: int | Callable[[], int],
        worker: int = 0,
        workers: int = 1,
        replicas: int = 1,
        colors: Colors | None = None,
        step: int | Callable[[], int] = 0,
    ) -> tf.data.Dataset:
        """The endless stream of batches from an epoch on.

        With several workers, each reads only its own rows of every global batch, in the order a
        single worker would have; ``model.fit(views)`` takes care of that.

        Args:
            epoch: First epoch, counted from 0, or a function that says it when reading begins.
            worker: Index of this worker, counted from 0. Default: 0.
            workers: Number of workers that share a global batch. Default: 1.
            replicas: Number of replicas of this worker, if each is to get its own batch. Default:
                1, all rows of the worker in one batch.
            colors: Color augmentations of the first and second view, to apply them here, on the
                host's CPUs, instead of on the training device. Batches then contain ``colored1``
                and ``colored2`` (float32, 0–255) in place of views and draws. ``model.fit(views)``
                does this if there is no other device. Default: none.
            step: Batches of the first epoch to leave out, or a function that says it when reading
                begins. Default: 0.

        Returns:
            A ``tf.data.Dataset`` of dict batches; pass ``steps_per_epoch`` to ``fit`` along with
            it.
        """
        # Not within the stream's functions, which TensorFlow would translate.
        files = ShardFiles(self.folder, read_manifest(self.folder))
        once = tf.data.Dataset.from_tensors(0)
        passes = once.flat_map(
            lambda zero: self._passes(_when_read(epoch, zero), _when_read(step, zero))
        )
        rows = self.batch_size // workers
        keep_freed_memory()
        dataset = passes.flat_map(
            lambda index, left_out: self._one_pass(
                files, index, left_out, worker * rows, (worker + 1) * rows, colors
            )
        )
        dataset = dataset.rebatch(rows // replicas, drop_remainder=True)
        options = tf.data.Options()
        options.deterministic = True
        # Whole batches are made and then split over the replicas, so sharding by files makes no
        # sense.
        policy = tf.data.experimental.AutoShardPolicy.OFF
        options.experimental_distribute.auto_shard_policy = policy
        # As many parallel calls as CPUs from the start. The autotuning thread could also delay the
        # end of the stream by up to a minute.
        options.autotune.enabled = False
        return dataset.prefetch(_BATCHES_AHEAD).with_options(options)

    def _passes(self, epoch: tf.Tensor, step: tf.Tensor) -> tf.data.Dataset:
        """The passes through the photographs from an epoch on: numbers, and batches left out."""
        per_pass = self.steps_per_epoch // self.passes_per_epoch
        first = epoch * self.passes_per_epoch + step // per_pass
        numbers = tf.data.Dataset.range(first, tf.int64.max)
        none = tf.zeros_like(step)
        return numbers.map(lambda index: (index, tf.where(index == first, step % per_pass, none)))

    def _available(self, manifest: Manifest) -> int:
        """Number of records that a pass goes through."""
        return manifest.unflagged if self.flagged == "leave_out" else manifest.records

    def _mask_info(self, manifest: Manifest) -> MaskInfo:
        for info in manifest.masks:
            if info.name == self.mask:
                return info
        names = ", ".join(repr(info.name) for info in manifest.masks)
        raise RecordsError(
            f"The records of {self.folder} have no mask {self.mask!r}, only {names}. Choose one of "
            "these, or convert the photographs again with --also."
        )

    def _one_pass(
        self,
        files: ShardFiles,
        index: tf.Tensor,
        left_out: tf.Tensor,
        start: int,
        stop: int,
        colors: Colors | None = None,
    ) -> tf.data.Dataset:
        """Rows start to stop of each global batch of one pass, several per element.

        The first batches, as many as ``left_out``, are not decoded.
        """
        manifest = files.manifest
        info = self._mask_info(manifest)
        key = tf.random.fold_in(tf.constant([self.seed, 0x4A41], tf.int64), index)
        order = tf.random.experimental.stateless_shuffle(tf.constant(files.paths), key)
        serialized = tf.data.Dataset.from_tensor_slices(order).interleave(
            files.open, cycle_length=min(len(files.paths), OPEN_SHARDS)
        )
        available = self._available(manifest)
        if available < manifest.records:
            serialized = serialized.filter(_is_unflagged)
        # A stateless shuffle of blocks, not Dataset.shuffle, whose order also depends on the
        # program's global seed.
        blocks = serialized.batch(_even(available, self.shuffle_block)).enumerate()
        serialized = blocks.map(
            lambda block, rows: tf.random.experimental.stateless_shuffle(
                rows, tf.random.fold_in(key, block)
            )
        ).unbatch()
        serialized = serialized.take(available // self.batch_size * self.batch_size)
        serialized = serialized.skip(left_out * self.batch_size)
        if stop - start < self.batch_size:
            numbered = serialized.enumerate().filter(
                lambda number, _: (
                    (number % self.batch_size >= start) & (number % self.batch_size < stop)
                )
            )
            serialized = numbered.map(lambda _, record: record)
        rows = stop - start
        together = max(size for size in range(1, _TOGETHER + 1) if rows % size == 0)
        return serialized.batch(together).map(
            lambda rows: colored(self._views(rows, index, info), colors),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def _views(self, rows: tf.Tensor, index: tf.Tensor, info: MaskInfo) -> dict[str, tf.Tensor]:
        """The views of some records of a pass."""
        further = () if info.name == records.MASK else (info.name,)
        fields = records.parse(rows, further)
        # An example is identified by its name, so it draws the same numbers wherever its record is
        # stored.
        identities = tf.strings.to_hash_bucket_fast(fields[records.NAME], tf.int64.max)
        png = fields[records.FURTHER + info.name if further else records.MASK]
        blank = tf.zeros_like(identities, tf.bool)
        if self.flagged == "blank":
            blank = fields[records.FLAG] != ""
        mask_type = tf.uint8 if info.bits == 8 else tf.int32
        side, words = (self.image_size, self.image_size), (random_color.DRAWS,)
        form = {
            "view1": (tf.uint8, (*side, 3)),
            "view2": (tf.uint8, (*side, 3)),
            "mask1": (mask_type, side),
            "mask2": (mask_type, side),
            "window1": (tf.int32, (7,)),
            "window2": (tf.int32, (7,)),
            "draws1": (tf.float32, words),
            "draws2": (tf.float32, words),
            "seed": (tf.int32, (2,)),
        }
        outputs = numpy_call(
            functools.partial(self._cut, np.uint8 if info.bits == 8 else np.uint16),
            [index, identities, fields[records.NAME], fields[records.IMAGE], png, blank],
            [dtype for dtype, _ in form.values()],
        )
        return {
            key: tf.ensure_shape(output, (None, *shape))
            for (key, (_, shape)), output in zip(form.items(), outputs, strict=True)
        }

    def _cut(
        self, mask_type: DTypeLike, index: Any, identities: Any, *columns: Any
    ) -> tuple[NDArray[Any], ...]:
        """The NumPy part of ``_views``; returns the arrays in the order of ``form``."""
        of_crop = max(self.crop1.draws, self.crop2.draws)
        drawn = draw(self.seed, int(index), identities, of_crop + random_color.DRAWS)
        first, second = (Views.empty(len(identities), self.image_size, mask_type) for _ in range(2))
        cut = ViewCutter((self.crop1, self.crop2))
        for row, fields in enumerate(zip(*columns, strict=True)):
            cut(EncodedImage(*fields), drawn.uniform[row, :, :of_crop], (first, second), row)
        pairs: list[Any] = [each for pair in zip(first, second, strict=True) for each in pair]
        if mask_type != np.uint8:
            pairs[2:4] = (mask.astype(np.int32) for mask in pairs[2:4])
        colors = np.ascontiguousarray(drawn.uniform[:, :, of_crop:].swapaxes(0, 1))
        return (*pairs, *colors, drawn.seeds)


def _when_read(number: int | Callable[[], int], once: tf.Tensor) -> tf.Tensor:
    if not callable(number):
        return tf.constant(number, tf.int64)
    return tf.ensure_shape(numpy_call(lambda _: np.int64(number()), [once], [tf.int64])[0], ())


def _even(count: int, most: int) -> int:
    """Size of the fewest blocks of about the same size.

    Else the last block could be a few records, the same in every pass, of which the incomplete last
    batch leaves some out.
    """
    return -(-count // -(-count // most))


def _is_unflagged(serialized: tf.Tensor) -> tf.Tensor:
    return records.parse(serialized)[records.FLAG] == ""
