import dataclasses
import hashlib
import json
import shutil
import warnings

import pytest
import tensorflow as tf

from harl_tf.data import PairedViews, labeled_images, read_manifest
from harl_tf.data.manifest import QUARANTINE, RecordsError
from mask_generation.conversion.checking.quarantine import quarantine
from mask_generation.conversion.checking.verify import verify


@pytest.fixture
def copied(records, tmp_path):
    """Twelve records in shards of 5, 5 and 2, the second one damaged at the same size."""
    folder = shutil.copytree(records, tmp_path / "copy")
    path = shard(folder, 1)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return folder


def shard(folder, index):
    return folder / f"photos-train.tfrecord-{index:05d}-of-00003"


def test_nothing_passes_over_a_damaged_shard_by_itself(copied):
    with pytest.raises(RecordsError, match="is damaged at record"):
        verify(copied)
    assert not (copied / QUARANTINE).exists()


def test_readers_pass_over_a_shard_in_quarantine_and_say_so(copied):
    decided = quarantine(copied)
    assert list(decided.shards) == [shard(copied, 1).name]
    assert verify(copied, deep=True).records == read_manifest(copied).records == 7
    assert sum(read_manifest(copied).class_counts.values()) == 7
    with pytest.warns(UserWarning, match="1 damaged shard is in quarantine and not read"):
        views = PairedViews(copied, batch_size=4, image_size=32)
    assert views.steps_per_epoch == 1
    for _ in views.from_epoch(0).take(4):
        pass
    with pytest.warns(UserWarning, match="in quarantine"):
        images = labeled_images(copied, 32)
    assert sum(len(labels) for _, labels in images) == 7


def test_other_records_are_another_set_for_a_run(copied, records):
    quarantine(copied)
    assert read_manifest(copied).digest() != read_manifest(records).digest()


def test_shard_in_quarantine_may_be_missing(copied):
    quarantine(copied)
    shard(copied, 1).unlink()
    assert verify(copied).records == 7


def test_shard_that_is_whole_again_leaves_quarantine(copied, records):
    quarantine(copied)
    shutil.copy(shard(records, 1), shard(copied, 1))
    assert quarantine(copied) is None
    assert read_manifest(copied) == read_manifest(records)


def test_whole_folder_gets_no_quarantine(records):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quarantine(records) is None
        assert labeled_images(records, 32) is not None
    assert not (records / QUARANTINE).exists()


def test_counts_are_those_of_the_shards_that_are_read(copied, records):
    """A record within the second of three that cannot be decoded, under right checksums."""
    path = shard(copied, 1)
    shutil.copy(shard(records, 1), path)
    kept = [item.numpy() for item in tf.data.TFRecordDataset(str(path))]
    bad = tf.train.Example.FromString(kept[3])
    bad.features.feature["image"].bytes_list.value[0] = b"no image"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for item in (*kept[:3], bad.SerializeToString(), *kept[4:]):
            writer.write(item)
    manifest, data = read_manifest(records), path.read_bytes()
    changed = dataclasses.replace(
        manifest.shards[1], bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    shards = (manifest.shards[0], changed, manifest.shards[2])
    dataclasses.replace(manifest, shards=shards).write(copied)
    decided = quarantine(copied)
    assert "record 3" in decided.shards[path.name]
    assert sum(decided.class_counts.values()) == 7
    assert verify(copied, deep=True).records == 7


def test_last_shards_are_not_given_up(copied):
    for index in (0, 2):
        shard(copied, index).write_bytes(b"")
    with pytest.raises(RecordsError, match="it names all of them"):
        quarantine(copied)
    assert not (copied / QUARANTINE).exists()


def test_other_files_are_not_given_up(copied):
    (copied / "features.json").write_text("{}")
    with pytest.raises(RecordsError, match=r"only shards can be put in quarantine\..*--repair"):
        quarantine(copied)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        '{"shards": 3}',
        '{"shards": {}, "flags": {}, "class_counts": {}}',
        '{"shards": {"no such shard": "bad"}, "flags": {}, "class_counts": {}}',
        '{"shards": {"a": "bad"}, "flags": {"flat": "x"}, "class_counts": {}}',
        "[" * 100_000,
    ],
)
def test_quarantine_of_any_content_is_refused_in_a_sentence(copied, content):
    (copied / QUARANTINE).write_text(content)
    with pytest.raises(RecordsError, match=rf"{QUARANTINE} should name .*Remove it"):
        read_manifest(copied)


def test_file_says_what_is_wrong(copied):
    quarantine(copied)
    said = json.loads((copied / QUARANTINE).read_text())
    assert "is damaged at record" in said["shards"][shard(copied, 1).name]
