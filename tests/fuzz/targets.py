"""What is fuzzed: functions of bytes that may refuse them only with the errors they document."""

import contextlib
import functools
import json
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from harl_tf.data import decoding, records
from harl_tf.data.manifest import QUARANTINE, Manifest, RecordsError, read_manifest
from harl_tf.data.manifest.seal import sealed
from harl_tf.evaluation import read_coco, read_voc
from harl_tf.evaluation.datasets.annotated import Annotations
from harl_tf.export import artifact
from mask_generation.conversion.checking.records import Seen, defect_of
from mask_generation.conversion.folder import journal
from mask_generation.conversion.per_photograph.example import Settings, make_example
from mask_generation.inputs.mask_file import decode_file
from mask_generation.inputs.reading import UnusableImageError
from mask_generation.inputs.sources import Images, open_images
from mask_generation.inputs.sources.list_file import read_list
from mask_generation.inputs.sources.source import InMemory
from mask_generation.previews.page import render_page
from mask_generation.previews.pictures import Summary
from tests.fuzz import seeds


class Target(NamedTuple):
    """A function of bytes, and valid ones.

    Attributes:
        run: Takes any bytes; an error that it raises is a fault.
        seeds: Makes valid inputs.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]


def one_line(error: Exception) -> None:
    text = str(error)
    if "\n" in text or len(text) > 2000:
        raise AssertionError(f"Expected a sentence. Received: {text[:3000]!r}.")


def photograph(data: bytes) -> None:
    """Decoding, a mask method, encoding; never an error, whatever the bytes."""
    settings = Settings("fast", 64, "keep", also=("grid",))
    made = make_example(InMemory(data, "a.jpg", -1), settings)
    if hasattr(made, "reason"):
        assert made.reason
        assert "\n" not in made.reason


def mask(data: bytes) -> None:
    for name in ("a.png", "a.npz"):
        try:
            pixels = decode_file(name, data)
        except UnusableImageError as error:
            one_line(error)
        else:
            assert pixels.foreground.dtype == bool


def tar(data: bytes) -> None:
    _list_and_read("a.tar", data, open_images)


def listed(data: bytes) -> None:
    _list_and_read("a.txt", data, read_list)


def _list_and_read(name: str, data: bytes, opened: Callable[[pathlib.Path], Images]) -> None:
    """Listing photographs and reading each of the first hundred."""
    path = _folder() / name
    path.write_bytes(data)
    try:
        found = opened(path)
        for source in found.part(0, min(len(found), 100)):
            with contextlib.suppress(UnusableImageError):
                source.read()
    except OSError as error:
        one_line(error)


def record(data: bytes) -> None:
    """What ``verify`` and training do with the contents of a record whose checksum is right."""
    reason = defect_of(data, Manifest({}, (), (), ()), Seen())
    if reason is not None:
        one_line(ValueError(reason))
        return
    fields = records.parse(tf.constant(data))
    for decode, field in (
        (decoding.decode_photograph, records.IMAGE),
        (decoding.decode_regions, records.MASK),
    ):
        try:
            decode(fields[field].numpy())
        except ValueError as error:
            one_line(error)


def manifest(data: bytes) -> None:
    path = _folder() / "manifest.json"
    path.write_bytes(data)
    try:
        read_manifest(path.parent)
    except RecordsError as error:
        one_line(error)


def quarantine(data: bytes) -> None:
    folder = _records()
    (folder / QUARANTINE).write_bytes(data)
    try:
        read_manifest(folder)
    except RecordsError as error:
        one_line(error)


def metadata(data: bytes) -> None:
    folder = _folder()
    (folder / artifact.METADATA).write_bytes(data)
    try:
        assert artifact.metadata(folder)["schema"] <= artifact.MODEL_SCHEMA
    except artifact.ExportError as error:
        one_line(error)


def note(data: bytes) -> None:
    """A damaged note costs its shard, which is made again."""
    with contextlib.suppress(ValueError, RecursionError):  # what is no JSON cannot be sealed
        fields = json.loads(data)
        data = json.dumps(sealed(fields) if isinstance(fields, dict) else fields).encode()
    kept = journal.Journal(_folder(), "x", ("a.tfrecord",))
    place = kept.folder / journal.FOLDER / "00000.json"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    kept.noted()


def coco(data: bytes) -> None:
    path = _photograph().parent / "boxes.json"
    path.write_bytes(data)
    _boxes(read_coco, path, path.parent)


def voc(data: bytes) -> None:
    path = _photograph().parent / "boxes.xml"
    path.write_bytes(data)
    _boxes(read_voc, path.parent, path.parent)


def _boxes(read: Callable[..., Annotations], *where: pathlib.Path) -> None:
    try:
        found = read(*where)
    except (ValueError, FileNotFoundError) as error:
        one_line(error)
    else:
        assert all(np.isfinite(image.boxes.corners).all() for image in found.images)


def page(data: bytes) -> None:
    """A name of any bytes stays text on the page."""
    name = data.decode("utf-8", "surrogateescape").encode("utf-8", "backslashreplace").decode()
    text = render_page(name, name, Summary([]), [])
    assert text.count("<h1") == 1
    assert text.count("<script") == render_page("a", "a", Summary([]), []).count("<script")


def names() -> Sequence[bytes]:
    return [b"<script>alert(1)</script>", b'"><img src=x onerror=alert(1)>', b"{{ 7*7 }}", b"\xff"]


TARGETS = {
    "photograph": Target(photograph, seeds.images),
    "mask": Target(mask, seeds.masks),
    "tar": Target(tar, seeds.tars),
    "list": Target(listed, seeds.lists),
    "record": Target(record, seeds.stored),
    "manifest": Target(manifest, seeds.manifests),
    "metadata": Target(metadata, seeds.metadata),
    "quarantine": Target(quarantine, seeds.quarantines),
    "note": Target(note, seeds.notes),
    "coco": Target(coco, seeds.coco_boxes),
    "voc": Target(voc, seeds.voc_boxes),
    "page": Target(page, names),
}


@functools.cache
def _records() -> pathlib.Path:
    """A folder of records to put a file into."""
    return shutil.copytree(seeds.GOLDEN, _folder() / "records")


@functools.cache
def _photograph() -> pathlib.Path:
    """A photograph alone in a folder, for annotations of it."""
    path = pathlib.Path(tempfile.mkdtemp()) / seeds.PHOTOGRAPH
    Image.new("RGB", (40, 30)).save(path)
    return path


@functools.cache
def _folder() -> pathlib.Path:
    """One folder for all inputs; each is written over the one before."""
    return pathlib.Path(tempfile.mkdtemp())
