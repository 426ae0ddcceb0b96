import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from conftest import make_photograph
from harl_tf.data import records
from harl_tf.data.manifest import Manifest, Shard
from mask_generation.conversion.convert import convert
from mask_generation.conversion.folder.tfds_files import write_tfds_files


def _stored(folder, *masks: str) -> list[dict]:
    files = sorted(str(path) for path in folder.glob("*.tfrecord-*"))
    return [records.parse(item, masks) for item in tf.data.TFRecordDataset(files)]


def test_tensorflow_datasets_reads_what_was_written(photographs, tmp_path):
    """By its own means, feature by feature."""
    out = tmp_path / "out"
    also = ("grid", "robust_background")
    convert(photographs, out, images_per_shard=5, also=also, progress=False)
    builder = tfds.builder_from_directory(out)
    assert builder.info.splits["train"].num_examples == 12
    assert builder.info.features["label"].names == ["even", "odd"]
    read = builder.as_dataset(split="train", shuffle_files=False)
    for fields, example in zip(_stored(out, *also), read, strict=True):
        for name in ("name", "label", "quality", "flag"):
            assert example[name].dtype == fields[name].dtype
            assert example[name] == fields[name]
        np.testing.assert_array_equal(example["image"], records.decode_image(fields["image"]))
        masks = {"mask": example["mask"], **{f"masks/{n}": example["masks"][n] for n in also}}
        for name, mask in masks.items():
            np.testing.assert_array_equal(mask[..., 0], records.decode_regions(fields[name]))
        assert [int(tf.reduce_max(mask)) for mask in masks.values()] == [1, 24, 1]
        assert masks["masks/grid"].dtype == tf.uint16


def test_records_without_labels_have_a_plain_number(tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(make_photograph(0)).save(tmp_path / "in" / "a.png")
    convert(tmp_path / "in", tmp_path / "out", progress=False)
    (example,) = tfds.builder_from_directory(tmp_path / "out").as_dataset(split="train")
    assert (int(example["label"]), example["label"].dtype) == (-1, tf.int64)
    assert not (tmp_path / "out" / "label.labels.txt").exists()


def test_shard_in_which_nothing_was_usable_is_read(tmp_path):
    """Three shards of one photograph; the second is empty."""
    (tmp_path / "in").mkdir()
    for index in (0, 2):
        Image.fromarray(make_photograph(index)).save(tmp_path / "in" / f"{index}.png")
    (tmp_path / "in" / "1.png").write_bytes(b"")
    convert(tmp_path / "in", tmp_path / "out", images_per_shard=1, progress=False)
    read = tfds.builder_from_directory(tmp_path / "out").as_dataset(split="train")
    assert sorted(example["name"].numpy() for example in read) == [b"0.png", b"2.png"]


@pytest.mark.parametrize("classes", [("a\nb", "c"), (" a", "a"), ("a", "\u2028")])
def test_class_names_that_are_no_lines_become_plain_numbers(tmp_path, classes):
    """TensorFlow Datasets keeps names in a file, one to a line, and strips them."""
    shard = Shard(records.shard_name(0, 1), 0, 0, "")
    (tmp_path / shard.file).write_bytes(b"")
    files = write_tfds_files(tmp_path, Manifest({}, classes, (shard,)))
    assert [file.file for file in files] == ["dataset_info.json", "features.json"]
    features = tfds.builder_from_directory(tmp_path).info.features
    assert not isinstance(features["label"], tfds.features.ClassLabel)
