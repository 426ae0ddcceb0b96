import numpy as np
import pytest
import tensorflow as tf

from harl_tf.data.records import (
    NO_LABEL,
    SHARD_PATTERN,
    Record,
    decode_image,
    decode_mask,
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


def test_same_record_gives_the_same_bytes():
    assert encode(Record(b"i", b"m", "n", 3)) == encode(Record(b"i", b"m", "n", 3))


def test_missing_label_is_not_stored():
    """TensorFlow Datasets reads a record without a label as one without the feature."""
    example = tf.train.Example.FromString(encode(Record(b"i", b"m", "n")))
    assert set(example.features.feature) == {"image", "mask", "name"}


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
