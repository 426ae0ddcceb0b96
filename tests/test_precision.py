"""The dtype policy of a block, and the fastest one."""

import keras
import pytest
import tensorflow as tf

from harl_tf import precision, processor


@pytest.mark.parametrize(
    ("instructions", "gpus", "expected"),
    [
        ({"avx512f", "avx512_bf16"}, [], "mixed_bfloat16"),
        ({"amx_bf16"}, [], "mixed_bfloat16"),
        ({"avx2"}, [], "float32"),
        (None, [], "float32"),  # unknown, as on macOS
        ({"avx512_bf16"}, ["GPU:0"], "float32"),
    ],
)
def test_automatic_precision_is_what_the_processor_computes_in(
    monkeypatch, instructions, gpus, expected
):
    monkeypatch.setattr(processor, "_instructions", lambda: instructions)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    assert precision.resolved("auto") == expected
    with precision.dtype_policy("auto"):
        assert keras.config.dtype_policy().name == expected
    assert keras.config.dtype_policy().name == "float32"


def test_a_policy_by_name_stays_what_it_is():
    assert precision.resolved("float32") == "float32"
