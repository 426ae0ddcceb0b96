"""Python inside a stream ends with the interpreter, whatever the stream is doing."""

import subprocess
import sys

import pytest
import tensorflow as tf

from harl_tf.data import python_calls
from harl_tf.data.python_calls import numpy_call

ALIVE_AT_THE_END = f"""
import runpy, time
import numpy as np
import tensorflow as tf
numpy_call = runpy.run_path({python_calls.__file__!r})["numpy_call"]

def slow(x):
    time.sleep(0.003)
    return np.zeros(10, "float32")

stream = tf.data.Dataset.range(10**9).map(
    lambda x: numpy_call(slow, [x], [tf.float32])[0], num_parallel_calls=tf.data.AUTOTUNE
).prefetch(tf.data.AUTOTUNE)
iterator = iter(stream)
next(iterator)
"""


@pytest.mark.parametrize(
    "end",
    [
        "",
        pytest.param("raise SystemExit(3)", marks=pytest.mark.slow),
        pytest.param("raise ValueError('a mistake')", marks=pytest.mark.slow),
    ],
)
def test_stream_that_is_alive_does_not_abort_the_process(end):
    """Buffers are being filled when the script ends, by its last line or an error."""
    script = ALIVE_AT_THE_END + end
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == {"": 0, "raise SystemExit(3)": 3}.get(end, 1)
    assert "terminate called" not in result.stderr
    if "mistake" in end:
        assert result.stderr.rstrip().endswith("ValueError: a mistake")


def test_errors_of_the_function_arrive_with_their_sentence():
    def refuse(_):
        raise ValueError("Expected another number.")

    stream = tf.data.Dataset.range(3).map(lambda x: numpy_call(refuse, [x], [tf.int64])[0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected another number"):
        list(stream)


def test_results_come_in_order():
    halves, negated = numpy_call(
        lambda x: (x / 2, -x), [tf.constant([1.0, 2.0])], [tf.float32, tf.float32]
    )
    assert halves.numpy().tolist() == [0.5, 1.0]
    assert negated.numpy().tolist() == [-1.0, -2.0]
