import numpy as np
import pytest
import tensorflow as tf

from harl_tf.data.records import (
    NO_LABEL,
    SHARD_PATTERN,
    Record,
    bits,
    decode_image,
    decode_mask,
    decode_regions,
    encode,
    parse,
    shard_name,
)


@pytest.mark.parametrize("label", [0, 7, NO_LABEL])
def test_record_is_parsed_as_it_was_encoded(label):
    parsed = parse(tf.constant(encode(Record(b"\xff\x00", b"png", "żółw 猫/a b.jpg", label))))
    assert parsed["image"].numpy() == b"\xff\x00"
    assert parsed["mask"].numpy() == b"png"
    assert parsed["name"].numpy().decode() == "żółw 猫/a b.jpg"
    assert int(parsed["label"]) == label
    assert parsed["label"].dtype == tf.int64
    assert (float(parsed["quality"]), parsed["flag"].numpy()) == (1.0, b"")


def test_same_record_gives_the_same_bytes():
    assert encode(Record(b"i", b"m", "n", 3)) == encode(Record(b"i", b"m", "n", 3))


def test_quality_flag_and_further_masks_are_parsed_as_they_were_encoded():
    record = Record(b"i", b"m", "n", 3, 0.25, "flat image", {"grid": b"g", "b": b"x"})
    parsed = parse(tf.constant(encode(record)), ["grid"])
    assert float(parsed["quality"]) == 0.25
    assert parsed["flag"].numpy() == b"flat image"
    assert parsed["masks/grid"].numpy() == b"g"
    assert "masks/b" not in parsed


def test_record_holds_every_feature_and_no_other():
    """TensorFlow Datasets reads none of them as missing."""
    example = tf.train.Example.FromString(encode(Record(b"i", b"m", "n", masks={"grid": b"g"})))
    names = {"image", "mask", "name", "label", "quality", "flag", "masks/grid"}
    assert set(example.features.feature) == names
    assert list(example.features.feature["label"].int64_list.value) == [NO_LABEL]


def test_further_mask_that_is_missing_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="masks/grid"):
        parse(tf.constant(encode(Record(b"i", b"m", "n"))), ["grid"])


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65535)])
def test_region_numbers_are_read_as_they_are_whatever_the_bits(dtype, largest):
    ids = np.array([[0, 1, 2], [7, largest - 1, largest]], dtype)
    png = tf.io.encode_png(ids[..., None])
    assert int(bits(png)) == 8 * ids.itemsize
    decoded = decode_regions(png)
    assert decoded.dtype == tf.int32
    np.testing.assert_array_equal(decoded, ids)


def test_record_without_a_mask_is_refused():
    example = tf.train.Example.FromString(encode(Record(b"i", b"m", "n")))
    del example.features.feature["mask"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="mask"):
        parse(tf.constant(example.SerializeToString()))


def test_image_and_mask_are_decoded_to_their_shapes():
    image = np.full((3, 5, 3), 9, np.uint8)
    mask = np.eye(3, 5, dtype=np.uint8)
    assert decode_image(tf.io.encode_jpeg(image)).shape == (3, 5, 3)
    np.testing.assert_array_equal(decode_mask(tf.io.encode_png(mask[..., None])), mask)


def test_shard_names_sort_in_their_order_and_match_the_pattern(tmp_path):
    names = [shard_name(index, 12000) for index in (0, 2, 10, 9999, 11999)]
    assert names == sorted(names)
    (tmp_path / names[0]).write_bytes(b"")
    assert [path.name for path in tmp_path.glob(SHARD_PATTERN)] == names[:1]
