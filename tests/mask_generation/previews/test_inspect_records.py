import hashlib
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from conftest import make_photograph
from harl_tf.data import manifest as manifests
from harl_tf.data import records
from mask_generation.foreground import foreground_mask
from mask_generation.left_out import LeftOut
from mask_generation.previews.inspect_records import InspectedRecords
from mask_generation.previews.pictures import Numbers


def encoded(pixels, kind):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write(folder, method):
    """Three records in two shards whose masks have a share of 0, 1/4 and 1/2, and one left out."""
    folder.mkdir()
    shards = []
    stored = []
    for index in range(3):
        mask = np.zeros((60, 80), np.uint8)
        mask[:, : index * 20] = 1
        stored.append(
            records.Record(
                encoded(make_photograph(index), "JPEG"),
                encoded(mask, "PNG"),
                f"{index}.jpg",
                quality=(0.5, 0.25, 1.0)[index],
                flag=("", "odd", "")[index],
            )
        )
    for number, part in enumerate((stored[:2], stored[2:])):
        path = folder / records.shard_name(number, 2)
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in part:
                writer.write(records.encode(record))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        shards.append(manifests.Shard(path.name, len(part), path.stat().st_size, digest))
    left_out = (("b.jpg", "empty file"),)
    manifests.Manifest({"name": method}, (), tuple(shards), left_out).write(folder)
    return folder


def test_numbers_are_those_stored_and_the_share_of_the_mask(tmp_path):
    inspected = InspectedRecords(write(tmp_path / "records", "robust_background"))
    assert inspected.method == "robust_background"
    assert inspected.total == 4
    assert list(inspected.numbers()) == [
        Numbers(0, 0.5, 0.0, ""),
        Numbers(1, 0.25, 0.25, "odd"),
        Numbers(2, 1.0, 0.5, ""),
        LeftOut("b.jpg", "empty file"),
    ]


def test_pictures_are_those_chosen_with_saliency_computed_anew(tmp_path):
    inspected = InspectedRecords(write(tmp_path / "records", "robust_background"))
    one, two = inspected.pictures({2, 1})
    assert (one.name, two.name) == ("1.jpg", "2.jpg")
    assert one.numbers == Numbers(1, 0.25, 0.25, "odd")
    assert two.mask[:, :40].all()
    assert not two.mask[:, 40:].any()
    result = foreground_mask(two.image, method="robust_background")
    np.testing.assert_array_equal(two.saliency, result.saliency)


def test_method_that_is_not_known_by_name_leaves_the_saliency_out(tmp_path):
    (picture,) = InspectedRecords(write(tmp_path / "records", "files")).pictures({0})
    assert picture.saliency is None
    stored = np.asarray(Image.open(io.BytesIO(encoded(make_photograph(0), "JPEG"))))
    assert np.abs(picture.image.astype(int) - stored).mean() < 2


@pytest.mark.parametrize("read", [lambda found: found.numbers(), lambda found: found.pictures({2})])
def test_damaged_record_is_a_sentence(tmp_path, read):
    folder = write(tmp_path / "records", "files")
    path = max(folder.glob("*.tfrecord-*"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    sentence = r"is damaged at record 0: .* --repair PHOTOS"
    with pytest.raises(manifests.RecordsError, match=sentence):
        list(read(InspectedRecords(folder)))
