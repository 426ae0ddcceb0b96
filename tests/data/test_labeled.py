"""Labeled photographs: each once, in order, undistorted."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import mask_generation
from harl_tf.data import (
    RecordsError,
    in_first_half,
    in_second_half,
    labeled_images,
    read_manifest,
    records,
)


def everything(dataset):
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def stored(folder):
    """Names, labels and images in the order of the shards."""
    files = [str(folder / shard.file) for shard in read_manifest(folder).shards]
    return [
        (fields[records.NAME].numpy(), int(fields[records.LABEL]), fields[records.IMAGE])
        for fields in map(records.parse, tf.data.TFRecordDataset(files))
    ]


@pytest.fixture
def folder(records):
    return records


def test_labeled_images_each_once_in_order(folder):
    images, labels = everything(labeled_images(folder, 24, batch_size=5))
    assert images.shape == (12, 24, 24, 3)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert labels.tolist() == [label for _, label, _ in stored(folder)]
    assert sorted(labels.tolist()) == [0] * 6 + [1] * 6


def test_labeled_images_are_the_central_square_averaged(folder):
    """60×80 without 10 columns on either side, 6×6 pixels a cell: neither squashed nor mirrored."""
    images, _ = everything(labeled_images(folder, 10))
    for image, (_, _, jpeg) in zip(images, stored(folder), strict=True):
        square = records.decode_image(jpeg).numpy()[:, 10:70]
        blocks = square.reshape(10, 6, 10, 6, 3).mean(axis=(1, 3))
        assert np.abs(image - blocks).mean() < 8


@pytest.mark.parametrize("shape", [(60, 80), (80, 60), (60, 61), (60, 60)])
def test_circle_stays_a_circle(tmp_path, shape):
    """A disc of radius 18 in the middle of 60 pixels: 36 of 60, so 18 ± 1 of 30 both ways."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    away = (rows - (shape[0] - 1) / 2) ** 2 + (columns - (shape[1] - 1) / 2) ** 2
    disc = np.where(away < 18**2, 255, 0).astype(np.uint8)[..., None].repeat(3, axis=2)
    (tmp_path / "in" / "discs").mkdir(parents=True)
    Image.fromarray(disc).save(tmp_path / "in" / "discs" / "disc.png")
    mask_generation.convert(tmp_path / "in", tmp_path / "out", flagged="keep", progress=False)
    images, _ = everything(labeled_images(tmp_path / "out", 30))
    bright = images[0, ..., 0] > 127
    height, width = (int(bright.any(axis=axis).sum()) for axis in (1, 0))
    assert height == pytest.approx(18, abs=1)
    assert width == pytest.approx(18, abs=1)


def test_labeled_images_same_twice(folder):
    dataset = labeled_images(folder, 16)
    for first, second in zip(everything(dataset), everything(dataset), strict=True):
        np.testing.assert_array_equal(first, second)


def test_labeled_images_last_batch_may_be_smaller(folder):
    sizes = [len(labels) for _, labels in labeled_images(folder, 16, batch_size=5)]
    assert sizes == [5, 5, 2]


def test_labeled_images_halves_part_the_set(folder):
    halves = [
        everything(labeled_images(folder, 16, keep=keep))
        for keep in (in_first_half, in_second_half)
    ]
    images, _ = everything(labeled_images(folder, 16))
    assert all(len(half[1]) > 0 for half in halves)
    parts = [image.tobytes() for half in halves for image in half[0]]
    assert sorted(parts) == sorted(image.tobytes() for image in images)


def test_halves_depend_on_the_name_only():
    """About half of 1000 names each, and each in exactly one."""
    names = [f"class/{index}.jpg" for index in range(1000)]
    first = np.array(in_first_half(tf.constant(names)))
    np.testing.assert_array_equal(first, ~np.array(in_second_half(tf.constant(names))))
    assert 440 < first.sum() < 560
    assert bool(in_first_half("class/7.jpg")) == first[7]


@pytest.mark.parametrize("keep", [None, in_first_half])
def test_photograph_above_the_class_folders_is_left_out(photographs, tmp_path, keep):
    """Its label is -1. The data set knows its length all the same."""
    shutil.copytree(photographs, tmp_path / "photos")
    first = sorted((tmp_path / "photos").rglob("*.*"))[0]
    shutil.copy(first, tmp_path / "photos" / f"loose{first.suffix}")
    mask_generation.convert(tmp_path / "photos", tmp_path / "out", method="fast", progress=False)
    labels = [label for name, label, _ in stored(tmp_path / "out") if keep is None or keep(name)]
    assert read_manifest(tmp_path / "out").records == 13
    found = labeled_images(tmp_path / "out", 8, keep=keep)
    _, known = everything(found)
    assert known.tolist() == [label for label in labels if label >= 0]
    assert int(found.cardinality()) == -(-len(known) // 64)


def test_labeled_images_without_labels(folder, photographs, tmp_path):
    """A flat folder has no classes."""
    mask_generation.convert(photographs / "odd", tmp_path / "flat", progress=False)
    assert json.loads((tmp_path / "flat" / "manifest.json").read_text())["classes"] == []
    with pytest.raises(RecordsError, match=r"has no labels. Convert a folder with one subfolder"):
        labeled_images(tmp_path / "flat", 16)


def test_labeled_images_missing_folder(tmp_path):
    with pytest.raises(RecordsError, match="is not a folder of records"):
        labeled_images(tmp_path / "none", 16)


def test_shuffled_images_are_the_same_ones_in_a_new_order_every_epoch(folder):
    """Classes lie one after the other in the records; training must not see them so."""
    dataset = labeled_images(folder, 16, shuffle_seed=0)
    first, second = everything(dataset), everything(dataset)
    in_order = everything(labeled_images(folder, 16))

    def sums(images):
        return images.sum(axis=(1, 2, 3)).tolist()

    assert sums(first[0]) != sums(second[0])
    assert sorted(sums(first[0])) == sorted(sums(second[0])) == sorted(sums(in_order[0]))


def test_length_of_the_data_set_is_known(folder):
    half = labeled_images(folder, 16, batch_size=1, keep=in_first_half)
    assert int(half.cardinality()) == len(list(half))


def test_all_records_are_counted_from_the_manifest(folder, tmp_path):
    """Records that cannot be read are only noticed when they are."""
    copy = tmp_path / "records"
    shutil.copytree(folder, copy)
    for shard in read_manifest(copy).shards:
        (copy / shard.file).write_bytes(b"?" * shard.bytes)
    assert int(labeled_images(copy, 16, batch_size=1).cardinality()) == 12
    with pytest.raises(RecordsError, match="00000-of-00003 is damaged at record 0"):
        labeled_images(copy, 16, keep=in_first_half)


def test_shuffled_classes_that_are_stored_one_after_the_other_mix(
    photographs, tmp_path, monkeypatch
):
    """Two shards of a class each, and a buffer that holds one record."""
    monkeypatch.setattr("harl_tf.data.labeled._SHUFFLED", 1)
    mask_generation.convert(
        photographs, tmp_path / "out", method="fast", images_per_shard=6, progress=False
    )
    assert everything(labeled_images(tmp_path / "out", 8))[1].tolist() == [0] * 6 + [1] * 6
    _, labels = everything(labeled_images(tmp_path / "out", 8, shuffle_seed=0))
    assert sorted(labels[:6].tolist()) == [0, 0, 0, 1, 1, 1]
