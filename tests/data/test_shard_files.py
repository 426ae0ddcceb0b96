import os
import shutil
import weakref

import keras
import pytest
import tensorflow as tf

from harl_tf.data import PairedViews, RecordsError, read_manifest, shard_files
from harl_tf.data.shard_files import ShardFiles, told_of_damage
from tests.networks import tiny_methods


@pytest.fixture(autouse=True)
def no_others(monkeypatch):
    """Streams of other tests may still be there."""
    monkeypatch.setattr(shard_files, "_in_use", weakref.WeakValueDictionary())


@pytest.fixture
def copied(records, tmp_path):
    return shutil.copytree(records, tmp_path / "records")


def flip(path):
    """A bit of a record in the middle, after the folder was opened."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_between_records(path):
    kept = [item.numpy() for item in tf.data.TFRecordDataset(str(path))][:-1]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for item in kept:
            writer.write(item)


def shard(folder, index=1):
    return folder / read_manifest(folder).shards[index].file


DAMAGES = {
    "flipped": (flip, r"00001-of-00003 is damaged at record \d+: corrupted record at \d+"),
    "cut": (cut_between_records, r"00001-of-00003 should have \d+ bytes; it has \d+"),
    "gone": (os.unlink, r"00001-of-00003 should have \d+ bytes; it is missing"),
}


@pytest.mark.parametrize(
    "kind", ["flipped", *(pytest.param(each, marks=pytest.mark.slow) for each in ("cut", "gone"))]
)
def test_fit_names_the_shard_that_was_damaged_after_its_start(copied, kind):
    damage, sentence = DAMAGES[kind]
    views = PairedViews(copied, batch_size=4, image_size=32)
    model = tiny_methods()["simclr"]()
    model.compile(optimizer=keras.optimizers.AdamW(1e-3))
    damaged = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: damage(shard(copied)) if epoch == 0 else None
    )
    with pytest.raises(RecordsError, match=sentence + r".* --repair PHOTOS"):
        model.fit(views, epochs=40, verbose=0, callbacks=[damaged])


@pytest.mark.parametrize("kind", DAMAGES)
def test_stream_of_a_folder_that_was_damaged_after_it_was_opened_ends(copied, kind):
    damage, sentence = DAMAGES[kind]
    files = ShardFiles(copied, read_manifest(copied))
    stream = tf.data.Dataset.from_tensor_slices(files.paths).flat_map(files.open)
    damage(shard(copied))
    with pytest.raises(RecordsError, match=sentence), told_of_damage():
        sum(1 for _ in stream)


def test_records_come_in_the_order_of_the_shards(records):
    files = ShardFiles(records, read_manifest(records))
    stream = tf.data.Dataset.from_tensor_slices(files.paths).flat_map(files.open)
    plain = tf.data.TFRecordDataset(files.paths)
    assert [item.numpy() for item in stream] == [item.numpy() for item in plain]


def test_other_errors_stay_as_they_are(records):
    files = ShardFiles(records, read_manifest(records))
    with pytest.raises(tf.errors.DataLossError), told_of_damage():
        raise tf.errors.DataLossError(None, None, "of another file")
    with pytest.raises(tf.errors.InvalidArgumentError), told_of_damage():
        tf.debugging.assert_equal(1, 2)
    assert files.find_damage() is None
