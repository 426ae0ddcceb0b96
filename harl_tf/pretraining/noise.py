"""Random numbers on the device that depend only on the example, not on its place in the batch.

TensorFlow's stateless generators take one seed per tensor. Here every example has its own seed, so
that it draws the same numbers on any number of replicas.
"""

import tensorflow as tf


def example_noise(seeds: tf.Tensor, count: int) -> tf.Tensor:
    """Uniform numbers, a function of each example's seed.

    A counter is mixed with the seed by two rounds of the 32-bit MurmurHash3 finalizer.

    Args:
        seeds: ``(batch, 2)`` int32.
        count: Numbers per example.

    Returns:
        ``(batch, count)`` float32 in (0, 1).

    Example:
        >>> noise = example_noise(tf.constant([[1, 2], [3, 4], [1, 2]]), 5)
        >>> bool(tf.reduce_all(noise[0] == noise[2])), bool(tf.reduce_any(noise[0] == noise[1]))
        (True, False)
    """
    first, second = tf.unstack(tf.bitcast(seeds, tf.uint32), axis=-1)
    state = _mix(first ^ _mix(second + tf.constant(0x9E3779B9, tf.uint32)))
    # The golden-ratio increment is odd, so its multiples visit all 32-bit numbers.
    counter = tf.cast(tf.range(1, count + 1), tf.uint32) * tf.constant(0x9E3779B9, tf.uint32)
    bits = _mix(_mix(state[:, None] + counter[None, :]) ^ second[:, None])
    # Not 24 bits: float32 cannot represent halves beyond 2^23, so the last value would round to 1.
    return (tf.cast(tf.bitwise.right_shift(bits, _word(9)), tf.float32) + 0.5) / 2.0**23


def gumbel(uniform: tf.Tensor) -> tf.Tensor:
    """Gumbel noise from uniform numbers; the argmax of log-weights plus noise samples by weight.

    Example:
        >>> round(float(gumbel(tf.constant(0.5))), 4)
        0.3665
    """
    return -tf.math.log(-tf.math.log(uniform))


def _mix(bits: tf.Tensor) -> tf.Tensor:
    bits ^= tf.bitwise.right_shift(bits, _word(16))
    bits *= _word(0x85EBCA6B)
    bits ^= tf.bitwise.right_shift(bits, _word(13))
    bits *= _word(0xC2B2AE35)
    return bits ^ tf.bitwise.right_shift(bits, _word(16))


def _word(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
