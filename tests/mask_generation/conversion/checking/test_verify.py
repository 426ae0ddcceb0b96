import dataclasses
import functools
import hashlib
import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.data.manifest import (
    FILE_NAME,
    Manifest,
    MaskInfo,
    RecordsError,
    Shard,
    read_manifest,
)
from harl_tf.data.records import Record, encode, shard_name
from mask_generation.conversion.checking.verify import verify
from mask_generation.conversion.per_photograph.example import encode_png

deep = functools.partial(verify, deep=True)


@pytest.fixture
def copied(records, tmp_path):
    return shutil.copytree(records, tmp_path / "copy")


def _shards(folder):
    return sorted(folder.glob("*.tfrecord-*"))


def _hand_made(folder, *records: Record | bytes, count: int | None = None, **described):
    """A folder whose sizes and checksums are right, whatever is in its records."""
    folder.mkdir()
    path = folder / shard_name(0, 1)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record if isinstance(record, bytes) else encode(record))
    data = path.read_bytes()
    number = len(records) if count is None else count
    shard = Shard(path.name, number, len(data), hashlib.sha256(data).hexdigest())
    Manifest({}, (), (shard,), **described).write(folder)
    return folder


def _record(
    name: str = "a", mask: np.ndarray | None = None, image: bytes | None = None, **fields
) -> Record:
    mask = np.ones((8, 9), np.uint8) if mask is None else mask
    jpeg = tf.io.encode_jpeg(np.zeros((8, 9, 3), np.uint8)).numpy()
    return Record(jpeg if image is None else image, encode_png(mask), name, **fields)


def test_whole_folder_passes_and_gives_its_manifest(records):
    assert verify(records).records == 12


def test_hand_made_folder_passes(tmp_path):
    """So that the failures below are due to what each of them changes."""
    assert deep(_hand_made(tmp_path / "r", _record("a"), _record("b"))).records == 2


def test_flipped_bit_is_found(copied):
    path = _shards(copied)[1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RecordsError, match=r"00001-of-00003 is damaged at record 2: corrupted"):
        verify(copied)


def test_truncation_at_a_record_boundary_is_found(copied):
    """TensorFlow reads such a file without an error."""
    path = _shards(copied)[0]
    kept = [item.numpy() for item in tf.data.TFRecordDataset(str(path))][:-1]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for item in kept:
            writer.write(item)
    with pytest.raises(RecordsError, match=r"00000-of-00003 should have \d+ bytes; it has \d+"):
        verify(copied)


def test_empty_shard_is_found(copied):
    _shards(copied)[2].write_bytes(b"")
    with pytest.raises(RecordsError, match=r"00002-of-00003 should have \d+ bytes; it has 0\."):
        verify(copied)


def test_missing_shard_is_found(copied):
    _shards(copied)[1].unlink()
    with pytest.raises(RecordsError, match=r"00001-of-00003 should have .* it is missing\."):
        verify(copied)


def test_all_damaged_files_are_named(copied):
    first, _, last = _shards(copied)
    first.write_bytes(b"")
    last.unlink()
    with pytest.raises(RecordsError, match=r"1 more files are damaged: .*00002-of-00003") as error:
        verify(copied)
    assert f"verify {copied} --repair PHOTOS" in str(error.value)


def test_what_no_longer_decodes_is_only_found_by_a_deep_look(tmp_path):
    """Behind checksums that are right there is whatever was written."""
    folder = _hand_made(tmp_path / "r", _record(image=b"no jpeg"))
    assert verify(folder).records == 1
    with pytest.raises(RecordsError, match="cannot be decoded"):
        deep(folder)


def test_other_number_of_records_of_a_class_is_found(copied):
    manifest = read_manifest(copied)
    counts = dict.fromkeys(manifest.classes, 3)
    dataclasses.replace(manifest, class_counts=counts).write(copied)
    assert verify(copied).records == 12
    with pytest.raises(RecordsError, match=r"states records of these classes: .*: 3"):
        deep(copied)


def test_extra_shard_is_found(copied):
    shutil.copy(_shards(copied)[0], copied / "photos-train.tfrecord-00003-of-00004")
    with pytest.raises(RecordsError, match=r"00003-of-00004 is not in the manifest"):
        verify(copied)


def test_swapped_shards_are_found(copied):
    first, second, _ = _shards(copied)
    first.rename(copied / "aside")
    second.rename(first)
    (copied / "aside").rename(second)
    with pytest.raises(RecordsError, match=r"00000-of-00003 (should have|has changed)"):
        verify(copied)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (_record(mask=np.ones((8, 8), np.uint8)), r"record 0 \(a\): the mask is \(8, 8\)"),
        (_record(mask=np.full((8, 9), 2, np.uint8)), "values other than 0 and 1"),
        (_record(mask=np.ones((8, 9), np.uint16)), "the mask has 16 bits, not 8"),
        (_record(image=b"no jpeg"), r"record 0 \(a\): it cannot be decoded: Unknown image file"),
        (_record(quality=1.5), r"the quality is 1\.5, not within \[0, 1\]"),
        (_record(quality=float("nan")), "the quality is nan"),
        (_record(label=0), "the label 0 belongs to none of 0 classes"),
        (_record(flag="flat image"), r"with these flags: {}; there are {'flat image': 1}"),
    ],
    ids=["size", "values", "bits", "image", "quality", "no quality", "label", "flag"],
)
def test_wrong_record_is_found_behind_a_right_checksum(tmp_path, record, sentence):
    with pytest.raises(RecordsError, match=sentence) as error:
        deep(_hand_made(tmp_path / "r", record))
    assert "\n" not in str(error.value)


def test_name_that_occurs_twice_is_found(tmp_path):
    with pytest.raises(RecordsError, match=r"record 1 \(a\): the name occurs twice"):
        deep(_hand_made(tmp_path / "r", _record(), _record()))


def test_wrong_count_is_found_behind_a_right_checksum(tmp_path):
    with pytest.raises(RecordsError, match=r"should have 2 records .* it has 1\."):
        deep(_hand_made(tmp_path / "r", _record(), count=2))


def test_manifest_of_another_schema_is_refused(copied):
    fields = json.loads((copied / FILE_NAME).read_text())
    (copied / FILE_NAME).write_text(json.dumps({**fields, "schema": 1}))
    with pytest.raises(RecordsError, match="has schema 1; this version of harl_tf reads 3"):
        verify(copied)


IDS = np.arange(72, dtype=np.uint16).reshape(8, 9)
DESCRIBED = (MaskInfo("mask", "m"), MaskInfo("many", "m", 72, 16))


def test_further_mask_as_described_passes(tmp_path):
    record = _record(masks={"many": encode_png(IDS)})
    assert deep(_hand_made(tmp_path / "r", record, masks=DESCRIBED)).masks == DESCRIBED


def test_bytes_over_which_tensorflow_ends_the_process_are_named(tmp_path):
    """Found by mutation: a record whose lengths contradict each other, under a right checksum."""
    file = pathlib.Path(__file__).parents[3] / "fuzz" / "crashes" / "record_ends_the_process.bin"
    folder = _hand_made(tmp_path / "r", file.read_bytes())
    with pytest.raises(RecordsError, match=r"record 0: it lacks image, or has it of another type"):
        deep(folder)


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [
        ({}, "record 0: it lacks masks/many, or has it of another type"),
        ({"many": encode_png(IDS.astype(np.uint8))}, "the mask many has 8 bits, not 16"),
        ({"many": encode_png(IDS[:7])}, r"the mask many is \(7, 9\), the image \(8, 9\)"),
        ({"many": encode_png(IDS + 1)}, "the mask many has values other than 0 to 71, such as 72"),
        ({"many": b"no png" * 9}, "the mask many has"),
    ],
    ids=["missing", "bits", "size", "regions", "damaged"],
)
def test_further_mask_that_is_not_as_described_is_found(tmp_path, masks, sentence):
    with pytest.raises(RecordsError, match=sentence):
        deep(_hand_made(tmp_path / "r", _record(masks=masks), masks=DESCRIBED))


@pytest.mark.parametrize("name", ["features.json", "dataset_info.json", "label.labels.txt"])
def test_changed_file_for_tensorflow_datasets_is_found(copied, name):
    data = bytearray((copied / name).read_bytes())
    data[-2] ^= 1
    (copied / name).write_bytes(data)
    with pytest.raises(RecordsError, match=rf"{name} has changed: its SHA-256"):
        verify(copied)
    (copied / name).unlink()
    with pytest.raises(RecordsError, match=rf"{name} should have \d+ bytes; it is missing"):
        verify(copied)
