"""First in, first out, the same on every replica."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.layers import KeyQueue
from tests.networks import tiny_pyramid


def directions(count, seed=0):
    keys = np.random.default_rng(seed).normal(size=(count, 3)).astype("float32")
    return keys, keys / np.linalg.norm(keys, axis=1, keepdims=True)


def test_queue_starts_with_random_directions_the_same_each_time():
    keys = KeyQueue(64, 3).keys.numpy()
    np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1.0, rtol=1e-5)
    assert np.abs(keys.mean(axis=0)).max() < 0.3
    keras.utils.set_random_seed(7)
    np.testing.assert_array_equal(KeyQueue(64, 3).keys, keys)


def test_queue_keeps_the_newest_and_forgets_the_oldest():
    queue = KeyQueue(6, 3)
    start = queue.keys.numpy()
    batches = [directions(2, seed) for seed in range(4)]
    queue.push(tf.constant(batches[0][0]))
    np.testing.assert_allclose(queue.keys, np.vstack([batches[0][1], start[:4]]), atol=1e-6)
    for keys, _ in batches[1:]:
        queue.push(tf.constant(keys))
    expected = np.vstack([batches[3][1], batches[2][1], batches[1][1]])
    np.testing.assert_allclose(queue.keys, expected, atol=1e-6)


def test_queue_of_one_batch_is_replaced_as_a_whole():
    queue, (keys, unit) = KeyQueue(4, 3), directions(4)
    queue.push(tf.constant(keys))
    np.testing.assert_allclose(queue.keys, unit, atol=1e-6)


@pytest.mark.parametrize("rows", [4, 8])
def test_batch_that_does_not_divide_the_queue_is_refused(rows):
    queue = KeyQueue(6, 3)
    nearest = {4: 4, 8: 8}[rows]
    with pytest.raises(
        ValueError, match=rf"such as {nearest}\. Received: queue_size=6 and {rows} keys per batch"
    ):
        queue.push(tf.ones((rows, 3)))


def test_queue_is_no_part_of_what_is_trained_and_has_no_gradient():
    queue, keys = KeyQueue(4, 3), tf.constant(directions(2)[0])
    assert queue.trainable_variables == []
    with tf.GradientTape() as tape:
        tape.watch(keys)
        queue.push(keys)
        total = tf.reduce_sum(queue.keys)
    assert tape.gradient(total, keys) is None


def test_replicas_push_their_keys_in_replica_order_and_stay_equal(two_replicas):
    keys, unit = directions(4)
    with two_replicas.scope():
        queue = KeyQueue(8, 3)
        tiny_pyramid()  # other variables do not move the queue's
    start = KeyQueue(8, 3).keys.numpy()

    def of_replica(context):
        first = 2 * context.replica_id_in_sync_group
        return tf.constant(keys[first : first + 2])

    values = two_replicas.experimental_distribute_values_from_function(of_replica)

    @tf.function
    def push():
        def step(rows):
            queue.push(rows)
            return queue.keys

        return two_replicas.run(step, (values,))

    for kept in two_replicas.experimental_local_results(push()):
        np.testing.assert_allclose(kept, np.vstack([unit, start[:4]]), atol=1e-6)


def test_batch_of_all_replicas_must_divide_the_queue(two_replicas):
    with two_replicas.scope():
        queue = KeyQueue(6, 3)

    @tf.function
    def push():
        two_replicas.run(lambda: queue.push(tf.ones((2, 3))))

    with pytest.raises(ValueError, match=r"such as 4\. Received: queue_size=6 and 4 keys"):
        push()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_keys_are_kept_in_full_precision(policy):
    keras.config.set_dtype_policy(policy)
    queue, (keys, unit) = KeyQueue(4, 3), directions(2)
    queue.push(tf.constant(keys))
    assert queue.keys.dtype == tf.float32
    np.testing.assert_allclose(queue.keys[:2], unit, atol=1e-6)


@pytest.mark.parametrize("sizes", [(0, 3), (4, 0)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match=rf"size={sizes[0]}, dimensions={sizes[1]}"):
        KeyQueue(*sizes)


def test_queue_can_be_rebuilt_from_its_configuration():
    queue = KeyQueue(4, 3, name="keys_of_old")
    copy = KeyQueue.from_config(queue.get_config())
    assert copy.get_config() == queue.get_config()
    assert copy.keys.shape == (4, 3)
