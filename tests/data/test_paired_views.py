"""The stream of paired views: complete, reproducible, independent of how it is stored."""

import collections
import dataclasses
import hashlib
import logging
import logging.handlers
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import mask_generation
from harl_tf.data import (
    PairedViews,
    RandomResizedCrop,
    RecordsError,
    decoding,
    paired_views,
    read_manifest,
    records,
)
from harl_tf.data.draws import draw
from harl_tf.data.geometry import Window, cut_image, cut_mask
from harl_tf.data.manifest import Manifest, MaskInfo, Shard
from harl_tf.layers import random_color
from mask_generation.conversion.per_photograph.example import encode_png


def take(views, count, epoch=0):
    """The first batches of an epoch."""
    return list(views.from_epoch(epoch).take(count).as_numpy_iterator())


def examples(batches):
    """One dict per example."""
    return [
        {key: values[row] for key, values in batch.items()}
        for batch in batches
        for row in range(len(batch["view1"]))
    ]


def fingerprint(example):
    """The numbers drawn for an example: no two examples or passes share them."""
    return example["draws1"].tobytes() + example["draws2"].tobytes()


def assert_same(batches, others):
    assert len(batches) == len(others)
    for batch, other in zip(batches, others, strict=True):
        assert batch.keys() == other.keys()
        for key, values in batch.items():
            np.testing.assert_array_equal(values, other[key], err_msg=key)


def stored(folder):
    """Images and masks of the records, by brute force."""
    files = sorted(str(file) for file in folder.glob("*.tfrecord*"))
    for serialized in tf.data.TFRecordDataset(files):
        fields = records.parse(serialized)
        yield fields[records.IMAGE].numpy(), fields[records.MASK].numpy()


def cut(jpeg, png, window, factor, size=16):
    """A view of a stored photograph that is decoded ``factor`` times smaller, and its mask."""
    window = Window(*map(int, window[:5]))
    image, mask = decoding.decode_photograph(jpeg, factor), decoding.decode_regions(png)
    view = cut_image(image, window.scaled_down(factor), np.empty((size, size, 3), np.uint8))
    return view, cut_mask(mask, window, np.empty((size, size), mask.dtype))


def whole(folder, **settings):
    """Views that are the whole photograph, unmirrored: an example can be recognised by them."""
    crop = RandomResizedCrop(area=(1.0, 1.0), aspect_ratio=(4 / 3, 4 / 3), flip_probability=0.0)
    settings = {"batch_size": 4, "image_size": 16, **settings}
    return PairedViews(folder, crop1=crop, crop2=crop, **settings)


@pytest.fixture(scope="module")
def views(records):
    return PairedViews(records, batch_size=4, image_size=16)


@pytest.mark.parametrize("shuffle_block", [1, 5, 4096])
def test_pass_holds_every_example_once(records, shuffle_block):
    """Twelve photographs, three batches of four, in blocks of any size.

    Of 60 rows 16 are wanted: they are decoded half as large, but not a quarter.
    """
    seen = examples(take(whole(records, shuffle_block=shuffle_block), 3))
    expected = [
        cut(jpeg, png, [0, 0, 60, 80, 0], factor=2)[0].tobytes() for jpeg, png in stored(records)
    ]
    assert len(set(expected)) == 12
    assert sorted(example["view1"].tobytes() for example in seen) == sorted(expected)


def test_batches_hold_what_the_windows_say(records, views):
    """Every view is one of the photographs cut at its own window, mask included.

    Both are cut from one copy, made no finer than the smaller window needs.
    """
    photographs = list(stored(records))
    for example in examples(take(views, 1)):
        sources = []
        windows = [Window(*example[f"window{v}"][:5]) for v in (1, 2)]
        factor = decoding.reduction(windows, 16)
        for v in (1, 2):
            window = example[f"window{v}"]
            assert window[5:].tolist() == [60, 80]
            found = []
            for index, (jpeg, png) in enumerate(photographs):
                view, mask = cut(jpeg, png, window, factor)
                if np.array_equal(view, example[f"view{v}"]):
                    np.testing.assert_array_equal(mask, example[f"mask{v}"])
                    found.append(index)
            sources.append(found)
        assert len(sources[0]) == 1
        assert sources[0] == sources[1]


def test_batches_have_the_documented_form(views):
    spec = views.from_epoch(0).element_spec
    draws = random_color.DRAWS
    expected = {"view": ((4, 16, 16, 3), "uint8"), "mask": ((4, 16, 16), "uint8")}
    expected |= {"window": ((4, 7), "int32"), "draws": ((4, draws), "float32")}
    form = {key: (tuple(value.shape), value.dtype.name) for key, value in spec.items()}
    of_views = {f"{key}{v}": value for key, value in expected.items() for v in (1, 2)}
    assert form == of_views | {"seed": ((4, 2), "int32")}
    (batch,) = take(views, 1)
    for v in (1, 2):
        assert (batch[f"draws{v}"] >= 0).all()
        assert (batch[f"draws{v}"] < 1).all()
        assert set(np.unique(batch[f"mask{v}"])) <= {0, 1}
    assert len({fingerprint(example) for example in examples([batch])}) == 4


def test_order_and_draws_differ_by_epoch(records):
    first, second = (examples(take(whole(records), 3, epoch)) for epoch in (0, 1))
    pictures = [[example["view1"].tobytes() for example in epoch] for epoch in (first, second)]
    assert sorted(pictures[0]) == sorted(pictures[1])
    assert pictures[0] != pictures[1]
    assert not {fingerprint(e) for e in first} & {fingerprint(e) for e in second}


@pytest.mark.parametrize("epoch", [1, 3])
def test_stream_from_an_epoch_is_the_tail_of_the_stream(views, epoch):
    assert_same(take(views, 4, epoch), take(views, 3 * epoch + 4)[3 * epoch :])


@pytest.mark.parametrize("step", [1, 3, 5])
def test_stream_from_a_step_is_the_tail_of_the_stream(records, step):
    """Two passes an epoch: steps 3 and 5 are the first and the last of the second one."""
    views = PairedViews(records, batch_size=4, image_size=16, passes_per_epoch=2)
    assert views.steps_per_epoch == 6
    whole = take(views, 9, epoch=1)
    found = views.from_epoch(1, step=step).take(9 - step)
    assert_same(list(found.as_numpy_iterator()), whole[step:])
    of_second = views.from_epoch(lambda: 1, worker=1, workers=2, step=lambda: step).take(9 - step)
    rows = [{key: value[2:] for key, value in batch.items()} for batch in whole[step:]]
    assert_same(list(of_second.as_numpy_iterator()), rows)


def test_stream_does_not_depend_on_the_global_seed(views):
    keras.utils.set_random_seed(1)
    first = take(views, 6)
    keras.utils.set_random_seed(2)
    tf.random.uniform(())
    assert_same(first, take(views, 6))


def test_stream_does_not_depend_on_sharding(records, photographs, tmp_path):
    """In other shards the order is another, but an example draws the same numbers in an epoch."""
    mask_generation.convert(photographs, tmp_path / "r", images_per_shard=3, progress=False)
    assert len(read_manifest(tmp_path / "r").shards) > len(read_manifest(records).shards)
    for epoch in (0, 2):
        streams = []
        for folder in (records, tmp_path / "r"):
            views = PairedViews(folder, batch_size=4, image_size=16)
            streams.append({fingerprint(e): e for e in examples(take(views, 3, epoch))})
        assert len(streams[0]) == 12
        assert streams[0].keys() == streams[1].keys()
        for key, example in streams[0].items():
            for name, values in example.items():
                np.testing.assert_array_equal(values, streams[1][key][name], err_msg=name)


def test_stream_does_not_depend_on_the_batch_size(records, views):
    larger = take(PairedViews(records, batch_size=6, image_size=16), 2)
    for example, other in zip(examples(take(views, 3)), examples(larger), strict=True):
        assert fingerprint(example) == fingerprint(other)


def test_another_seed_gives_another_stream(records, views):
    first = {fingerprint(example) for example in examples(take(views, 3))}
    for seed in (1, -1):
        other = dataclasses.replace(views, seed=seed)
        assert not first & {fingerprint(example) for example in examples(take(other, 3))}


def test_views_of_one_example_differ_from_each_other(views):
    for example in examples(take(views, 3)):
        assert (example["draws1"] != example["draws2"]).all()


def test_crops_apply_to_their_own_view(records):
    small = RandomResizedCrop(area=(0.1, 0.1), aspect_ratio=(1.0, 1.0), flip_probability=1.0)
    views = dataclasses.replace(whole(records), crop2=small)
    for example in examples(take(views, 3)):
        assert example["window1"].tolist() == [0, 0, 60, 80, 0, 60, 80]
        # A tenth of 60 · 80 is 480 pixels, 21.9² of them: fewer than twice the view's.
        assert example["window2"][2:5].tolist() == [22, 22, 1]


def test_passes_per_epoch_makes_one_epoch_of_several(records, views):
    """Two passes an epoch: epoch 1 begins where epoch 2 of one pass does."""
    twice = dataclasses.replace(views, passes_per_epoch=2)
    assert (views.steps_per_epoch, twice.steps_per_epoch) == (3, 6)
    assert_same(take(twice, 3, epoch=1), take(views, 3, epoch=2))


def test_batch_that_does_not_divide_leaves_the_rest_of_each_pass(records):
    """Twelve photographs in batches of five: two batches a pass, ten different examples."""
    views = PairedViews(records, batch_size=5, image_size=16)
    assert views.steps_per_epoch == 2
    batches = take(views, 4)
    assert [len(batch["view1"]) for batch in batches] == [5] * 4
    assert len({fingerprint(example) for example in examples(batches[:2])}) == 10
    assert_same(batches[2:], take(views, 2, epoch=1))


def test_batch_larger_than_the_set(records):
    with pytest.raises(RecordsError, match=r"holds 12 records, fewer than .* batch_size=13"):
        PairedViews(records, batch_size=13)


@pytest.mark.parametrize("name", ["batch_size", "image_size", "passes_per_epoch", "shuffle_block"])
def test_settings_below_one(records, name):
    with pytest.raises(ValueError, match=rf"Expected {name} ≥ 1. Received: {name}=0"):
        PairedViews(records, **{"batch_size": 4, name: 0})


def test_settings_change_with_anything_that_changes_the_stream(records, views):
    """What a checkpoint compares; where the folder lies is not part of it."""
    settings = views.settings()
    assert "folder" not in settings
    assert settings == PairedViews(str(records), batch_size=4, image_size=16).settings()
    crop = RandomResizedCrop((0.5, 1.0))
    changes = ({"seed": 1}, {"image_size": 32}, {"crop2": crop}, {"flagged": "blank"})
    for change in changes:
        assert dataclasses.replace(views, **change).settings() != settings


@pytest.fixture(scope="module")
def flagged(photographs, tmp_path_factory):
    """Records of twelve photographs and of three, in between, whose mask is flagged."""
    folder = tmp_path_factory.mktemp("flagged")
    shutil.copytree(photographs, folder / "in")
    for name in ("even/03 grey.png", "even/05 grey.png", "odd/00 grey.png"):
        Image.new("RGB", (80, 60), "gray").save(folder / "in" / name)
    mask_generation.convert(
        folder / "in",
        folder / "out",
        images_per_shard=4,
        flagged="keep",
        also=("grid",),
        progress=False,
    )
    manifest = read_manifest(folder / "out")
    assert (manifest.records, manifest.flags) == (15, {"flat image": 3})
    return folder / "out"


def test_flagged_records_are_kept_unless_asked_otherwise(flagged):
    views = whole(flagged, batch_size=5)
    assert views.steps_per_epoch == 3
    gray = [np.ptp(example["view1"]) == 0 for example in examples(take(views, 3))]
    assert sum(gray) == 3


@pytest.mark.parametrize("shuffle_block", [5, 4096])
def test_left_out_records_shorten_the_epoch_and_nothing_else(flagged, records, shuffle_block):
    """Twelve unflagged photographs, the same as those of the other folder."""
    settings = {"flagged": "leave_out", "shuffle_block": shuffle_block}
    views = whole(flagged, **settings)
    assert views.steps_per_epoch == 3
    seen, expected = (examples(take(each, 3)) for each in (views, whole(records)))
    assert {fingerprint(example) for example in seen} == {fingerprint(e) for e in expected}
    pictures = [sorted(example["view1"].tobytes() for example in part) for part in (seen, expected)]
    assert pictures[0] == pictures[1]
    # Another epoch begins after as many steps, and a stream can start there.
    assert_same(take(views, 4, epoch=1), take(views, 7)[3:])


def test_blank_records_have_a_mask_of_background(flagged):
    kept, blank = (
        examples(take(whole(flagged, batch_size=5, flagged=how, mask="grid"), 3))
        for how in ("keep", "blank")
    )
    for example, other in zip(kept, blank, strict=True):
        np.testing.assert_array_equal(example["view1"], other["view1"])
        assert example["mask1"].max() == 24
        gray = np.ptp(example["view1"]) == 0
        np.testing.assert_array_equal(other["mask1"], 0 if gray else example["mask1"])
    assert sum(not example["mask1"].any() for example in blank) == 3


def test_batch_larger_than_what_is_left(flagged):
    with pytest.raises(RecordsError, match=r"12 records besides 3 whose mask .* batch_size=13"):
        PairedViews(flagged, batch_size=13, flagged="leave_out")


def test_unknown_way_with_flagged_records(records):
    with pytest.raises(ValueError, match=r"Expected flagged in .*Received: flagged='drop'"):
        PairedViews(records, batch_size=4, flagged="drop")


def test_further_mask_is_read_by_its_name(flagged):
    views = whole(flagged, mask="grid")
    assert views.regions == 25
    assert whole(flagged).regions == 2
    (batch,) = take(views, 1)
    assert batch["mask1"].dtype == np.int32
    # 16 pixels a side: cell (row · 5 // 16, column · 5 // 16), as 60 and 80 pixels are divided.
    np.testing.assert_array_equal(batch["mask1"][0, ::4, 0], [0, 5, 10, 15])


def test_mask_that_the_records_lack(flagged):
    with pytest.raises(RecordsError, match=r"have no mask 'slic', only 'mask', 'grid'\. Choose"):
        PairedViews(flagged, batch_size=4, mask="slic")


def test_more_than_256_regions_survive(tmp_path):
    """A 20 × 30 map of 600 ids; a view of the whole at that size is the map itself."""
    ids = np.arange(600, dtype=np.uint16).reshape(20, 30)
    record = records.Record(
        tf.io.encode_jpeg(np.zeros((20, 30, 3), np.uint8)).numpy(),
        encode_png(np.zeros((20, 30), np.uint8)),
        "a",
        masks={"many": encode_png(ids)},
    )
    path = tmp_path / records.shard_name(0, 1)
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(records.encode(record))
    data = path.read_bytes()
    shard = Shard(path.name, 1, len(data), hashlib.sha256(data).hexdigest())
    masks = (MaskInfo("mask", "m"), MaskInfo("many", "m", 600, 16))
    Manifest({}, (), (shard,), masks=masks).write(tmp_path)
    crop = RandomResizedCrop((1.0, 1.0), (1.5, 1.5), flip_probability=0.0)
    views = PairedViews(tmp_path, 1, 60, crop1=crop, crop2=crop, mask="many")
    assert views.regions == 600
    (batch,) = take(views, 1)
    np.testing.assert_array_equal(batch["mask1"][0], ids.repeat(3, axis=0).repeat(2, axis=1))


def test_worker_decodes_its_own_rows_only(records, views, monkeypatch):
    """Of the twelve photographs of a pass each of two workers makes the views of six.

    Views are made where their numbers are drawn. The fourth batch is of the second pass.
    """
    made = collections.Counter()

    def count(seed, index, identities, numbers):
        made[index] += len(identities)
        return draw(seed, index, identities, numbers)

    monkeypatch.setattr(paired_views, "draw", count)
    batches = list(views.from_epoch(0, worker=1, workers=2).take(4))
    assert [len(batch["view1"]) for batch in batches] == [2] * 4
    assert made[0] == 6


def test_tensorflow_has_nothing_to_say_of_the_stream(views):
    """It warns of each Python function that it cannot translate."""
    said = logging.handlers.BufferingHandler(1000)
    tf.get_logger().addHandler(said)
    try:
        next(iter(views.from_epoch(0)))
    finally:
        tf.get_logger().removeHandler(said)
    assert [record.getMessage() for record in said.buffer if record.levelno >= 30] == []


@pytest.mark.parametrize(
    ("count", "most", "size"), [(12, 4096, 12), (4200, 4096, 2100), (8192, 4096, 4096), (7, 3, 3)]
)
def test_blocks_are_about_equal(count, most, size):
    """One of 12; two of 2,100, not 4,096 and 104; two of 4,096; 3, 3 and 1."""
    assert paired_views._even(count, most) == size


def test_no_record_is_left_out_of_every_pass(photographs, tmp_path):
    """Batches of eight leave four of twelve out. Blocks of eleven would be one of eleven and one of
    the last record, always left out; in two of six, the four are some of the last six.
    """
    mask_generation.convert(photographs, tmp_path / "out", method="fast", progress=False)
    every = {each["view1"].tobytes() for each in examples(take(whole(tmp_path / "out"), 3))}
    views = whole(tmp_path / "out", batch_size=8, shuffle_block=11)
    left_out = collections.Counter()
    for epoch in range(40):
        seen = {each["view1"].tobytes() for each in examples(take(views, 1, epoch))}
        left_out.update(every - seen)
    assert len(left_out) == 6
    assert max(left_out.values()) < 38
