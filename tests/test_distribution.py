"""What replicas exchange, and how workers share a stream; one device is in ``tests/losses``."""

import configparser
import pathlib
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import harl_tf
from harl_tf import distribution
from harl_tf.pretraining import checks

ROOT = pathlib.Path(__file__).parent.parent


def on_replicas(strategy, function, rows):
    """What every replica makes of its own rows, ``rows[replica]``, in a graph."""
    values = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(rows[context.replica_id_in_sync_group])
    )
    outputs = tf.function(lambda: strategy.run(function, args=(values,)))()
    return [each.numpy() for each in strategy.experimental_local_results(outputs)]


def test_rows_are_gathered_in_replica_order_on_every_replica(two_replicas):
    rows = [[[1.0], [2.0]], [[3.0], [4.0]]]
    for gathered in on_replicas(two_replicas, distribution.gather_rows, rows):
        assert gathered.tolist() == [[1.0], [2.0], [3.0], [4.0]]


def test_first_row_of_a_replica_comes_after_those_of_the_replicas_before(two_replicas):
    first = on_replicas(
        two_replicas, lambda x: distribution.first_row_index(tf.shape(x)[0]), [[0.0] * 3] * 2
    )
    assert first == [0, 3]


def test_gradient_flows_through_gathered_rows_to_the_replica_they_came_from(two_replicas):
    """Replica r weighs gathered row i by (r + 1) * (i + 1); rows 0, 1 are replica 0's.

    Row i is weighted (1 + 2) * (i + 1) in all: 3, 6 for replica 0 and 9, 12 for replica 1.
    """

    def gradient(rows):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        with tf.GradientTape() as tape:
            tape.watch(rows)
            gathered = distribution.gather_rows(rows)
            weights = tf.cast(replica + 1, tf.float32) * tf.constant([1.0, 2.0, 3.0, 4.0])
            total = tf.reduce_sum(gathered * weights)
        return tape.gradient(total, rows)

    found = on_replicas(two_replicas, gradient, [[5.0, 6.0], [7.0, 8.0]])
    assert [each.tolist() for each in found] == [[3.0, 6.0], [9.0, 12.0]]


def test_sum_over_replicas_is_the_same_on_all(two_replicas):
    assert on_replicas(two_replicas, distribution.sum_over_replicas, [[1.0], [2.5]]) == [3.5, 3.5]


def test_shares_add_up_to_the_mean_over_all_counted_rows(two_replicas):
    """Counted: 1 and 2 on one replica, 6 on the other; (1 + 2 + 6) / 3 = 3, not (1.5 + 6) / 2."""

    def share(rows):
        return distribution.share_of_global_mean(rows, rows < 9.0)

    shares = on_replicas(two_replicas, share, [[1.0, 2.0], [9.0, 6.0]])
    assert shares == [1.0, 2.0]


def test_mean_of_no_rows_at_all_is_zero_on_replicas(two_replicas):
    def share(rows):
        return distribution.share_of_global_mean(rows, rows < 0.0)

    assert on_replicas(two_replicas, share, [[1.0], [2.0]]) == [0.0, 0.0]


@pytest.mark.parametrize(("workers", "replicas"), [(2, 1), (4, 1), (2, 2)])
def test_workers_read_the_rows_of_the_global_batch_in_order(records, workers, replicas):
    """Rows of worker 0, then of worker 1, …; of each its replicas' batches one after the other."""
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=16)
    steps = 4  # into the second pass
    whole = list(views.from_epoch(0).take(steps))
    parts = [
        list(views.from_epoch(0, worker, workers, replicas).take(steps * replicas))
        for worker in range(workers)
    ]
    for step, batch in enumerate(whole):
        pieces = [each for part in parts for each in part[step * replicas : (step + 1) * replicas]]
        assert len(pieces) == workers * replicas
        for key, expected in batch.items():
            found = tf.concat([piece[key] for piece in pieces], axis=0)
            np.testing.assert_array_equal(found, expected)


def cluster(task_type, task_id, **jobs):
    """A strategy of a cluster, as far as it is looked at."""
    resolver = SimpleNamespace(
        task_type=task_type, task_id=task_id, cluster_spec=lambda: tf.train.ClusterSpec(jobs)
    )
    return SimpleNamespace(cluster_resolver=resolver)


@pytest.mark.parametrize(
    ("strategy", "workers", "chief"),
    [
        (cluster("worker", 0, worker=["a:1", "b:1"]), 2, True),
        (cluster("worker", 1, worker=["a:1", "b:1"]), 2, False),
        (cluster("chief", 0, chief=["a:1"], worker=["b:1", "c:1"]), 3, True),
        (cluster("worker", 0, chief=["a:1"], worker=["b:1", "c:1"]), 3, False),
        (cluster("worker", 0, worker=["a:1"], evaluator=["b:1"], ps=["c:1"]), 1, True),
        (cluster(None, None), 1, True),
        (SimpleNamespace(cluster_resolver=None), 1, True),
    ],
)
def test_workers_are_counted_and_one_of_them_is_chief(strategy, workers, chief, monkeypatch):
    """The chief writes; where there is none, the first worker does."""
    assert distribution.worker_count(strategy) == workers
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: strategy)
    assert distribution.is_chief() == chief


def test_mirrored_strategy_is_one_worker_whatever_tf_config_says(two_replicas, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}}')
    assert distribution.worker_count(two_replicas) == 1


def test_plain_data_set_for_several_workers_is_refused(records):
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=16)
    stream = views.from_epoch(0)
    checks.check_replicas(views, replicas=2, workers=2)
    checks.check_replicas(stream, replicas=2, workers=1)
    with pytest.raises(ValueError, match=r"PairedViews under 2 workers.*same rows"):
        checks.check_replicas(stream, replicas=2, workers=2)


def test_keras_is_pinned_to_the_version_whose_private_hook_is_overridden():
    """``Pretraining._maybe_symbolic_build`` has no public counterpart. Before the pin moves, run
    the canary in ``tests/integration/test_workers.py`` on the next version."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    requirements = settings["options"]["install_requires"].split()
    assert "keras>=3.15,<3.16" in requirements
