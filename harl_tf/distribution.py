"""All use of ``tf.distribute``: how many replicas there are and what they exchange.

Owns the few collective operations the objectives need. Everything else in the package is written
for one replica and calls these functions; with a single replica, each of them is the identity.

The central convention: a loss term is *this replica's share of a mean over the global batch*.
Shares sum to the mean and Keras optimizers sum the gradients of the replicas, so the update on N
replicas equals the update of one device on the same global batch, without a factor 1/N.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf


def replica_count() -> int:
    """Number of replicas that work on one global batch.

    Returns:
        1 outside a strategy, otherwise the strategy's ``num_replicas_in_sync``.

    Example:
        >>> replica_count()
        1
    """
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def check_scope(variables: Iterable[Any], what: str) -> None:
    """Checks in a strategy's scope that variables belong to the strategy.

    Args:
        variables: Keras variables.
        what: What they are of, for the message.

    Raises:
        ValueError: If they were made outside of the scope: training would leave the other replicas
            idle, or fail with a dump of the first weight.

    Example:
        >>> check_scope([keras.Variable([1.0])], "a model")
        >>> with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        ...     check_scope([keras.Variable([1.0])], "a model")
    """
    if not tf.distribute.has_strategy():
        return
    strategy = tf.distribute.get_strategy()
    if all(strategy.extended.variable_created_in_scope(each.value) for each in variables):
        return
    raise ValueError(
        f"Expected {what} made inside the scope of the strategy, so that every replica has its "
        f"weights. Received: one made outside of this {type(strategy).__name__}'s scope. Make or "
        "load it below `with strategy.scope():`, like the optimizer and compile."
    )


def has_accelerator() -> bool:
    """Whether there is a device other than CPUs to train on.

    Example:
        >>> has_accelerator()
        False
    """
    return any(device.device_type != "CPU" for device in tf.config.list_logical_devices())


def gather_rows(rows: tf.Tensor) -> tf.Tensor:
    """Concatenates the rows of all replicas in replica order; gradients flow to every replica.

    Args:
        rows: Tensor ``(local_rows, ...)``.

    Returns:
        Tensor ``(global_rows, ...)``, the same on every replica.

    Example:
        >>> gather_rows(tf.constant([[1.0], [2.0]])).shape.as_list()
        [2, 1]
    """
    if replica_count() == 1:
        return rows
    return tf.distribute.get_replica_context().all_gather(rows, axis=0)


def first_row_index(local_rows: tf.Tensor) -> tf.Tensor:
    """Index of this replica's first row after ``gather_rows``.

    Args:
        local_rows: Scalar int32, the number of rows here (the same on every replica).

    Returns:
        Scalar int32.

    Example:
        >>> int(first_row_index(tf.constant(4)))
        0
    """
    if replica_count() == 1:
        return tf.zeros_like(local_rows)
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return local_rows * tf.cast(replica, local_rows.dtype)


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """Sum of a tensor over all replicas.

    Args:
        value: Tensor of the same shape on every replica.

    Returns:
        Tensor of that shape, the same on every replica.

    Example:
        >>> float(sum_over_replicas(tf.constant(2.0)))
        2.0
    """
    if replica_count() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def share_of_global_mean(values: tf.Tensor, counted: tf.Tensor | None = None) -> tf.Tensor:
    """This replica's share of the mean of ``values`` over the global batch.

    Args:
        values: Tensor ``(local_rows,)``.
        counted: Optional bool tensor ``(local_rows,)``; rows marked False enter neither the sum nor
            the count. The count is taken over all replicas, so that a replica with few counted rows
            is not overweighted. Default: all rows count.

    Returns:
        Scalar; 0 when no row of the global batch counts. The shares of all replicas sum to the
        mean.

    Example:
        >>> values, counted = tf.constant([1.0, 3.0, 9.0]), tf.constant([True, True, False])
        >>> float(share_of_global_mean(values, counted))
        2.0
    """
    if counted is None:
        weights = tf.ones_like(values)
    else:
        weights = tf.cast(counted, values.dtype)
        values = tf.where(counted, values, tf.zeros_like(values))
    total = sum_over_replicas(tf.reduce_sum(tf.stop_gradient(weights)))
    return tf.reduce_sum(values) / tf.maximum(total, tf.ones_like(total))


def on_every_replica(model: Any, step: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """A step on every replica, as a function of an iterator of batches.

    It replaces Keras 3.15's own, which fails on several workers, on several steps per execution
    with collectives, and on batches with tensors other than floats and integers.

    Args:
        model: A compiled ``keras.Model``.
        step: Its ``train_step`` or ``test_step``: a batch in, a dict of scalars out.

    Returns:
        A function of the iterator that returns the dict, averaged over the replicas. The step is
        compiled by XLA if the model was compiled with ``jit_compile=True``; the iterator stays
        outside.
    """
    strategy = model.distribute_strategy
    if model.jit_compile and not model.run_eagerly:
        step = tf.function(step, jit_compile=True)

    @tf.autograph.experimental.do_not_convert
    def one(iterator: Any) -> dict[str, Any]:
        batch = next(iterator)
        # Nothing of a step, such as the count of updates, may happen once the data has ended.
        with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
            outputs = strategy.run(step, args=(batch,))
            return {
                name: strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)
                for name, value in outputs.items()
            }

    return one


def is_distributed(x: Any) -> bool:
    """Whether a data set was distributed over replicas by its maker.

    Example:
        >>> is_distributed(tf.data.Dataset.range(2))
        False
    """
    return isinstance(x, tf.distribute.DistributedDataset)


def iterate(strategy: tf.distribute.Strategy, dataset: tf.data.Dataset) -> Any:
    """An iterator over a data set, the rows of each batch spread over the replicas.

    Args:
        strategy: The strategy.
        dataset: The data set, on a single worker.

    Example:
        >>> int(next(iterate(tf.distribute.get_strategy(), tf.data.Dataset.range(2))))
        0
    """
    return iter(strategy.experimental_distribute_dataset(dataset))


def distribute(
    strategy: Any, stream: Callable[..., tf.data.Dataset], steps: int | None = None
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Gives each worker its part of a stream.

    Args:
        strategy: The strategy.
        stream: ``PairedViews.from_epoch`` for an epoch.
        steps: Number of global batches to end after. Default: none, endless.

    Returns:
        The stream itself if there is one worker. With several workers, a distributed data set in
        which each worker reads and decodes only its own rows of the global batch.
    """
    if worker_count(strategy) == 1:
        return _ending(stream(), steps)

    def part(context: tf.distribute.InputContext) -> tf.data.Dataset:
        workers = context.num_input_pipelines
        replicas = context.num_replicas_in_sync // workers
        rows = stream(worker=context.input_pipeline_id, workers=workers, replicas=replicas)
        return _ending(rows, steps and steps * replicas)

    return strategy.distribute_datasets_from_function(part)


def set_mean(strategy: tf.distribute.Strategy, metric: Any, mean: float, count: int) -> None:
    """Sets a running mean on every replica, as if each had been updated with it ``count`` times.

    Args:
        strategy: The strategy.
        metric: A ``keras.metrics.Mean`` that each replica updates.
        mean: The mean.
        count: Number of updates.

    Example:
        >>> metric = keras.metrics.Mean()
        >>> set_mean(tf.distribute.get_strategy(), metric, 2.0, 3)
        >>> _ = metric.update_state(6.0)
        >>> float(metric.result())
        3.0
    """
    # Outside of the replicas, what is assigned to a sum over them is divided among them.
    replicas = strategy.num_replicas_in_sync
    with strategy.scope():
        metric.total.assign(replicas * count * mean)
        metric.count.assign(replicas * count)


def _ending(stream: tf.data.Dataset, steps: int | None) -> tf.data.Dataset:
    if steps is None:
        return stream
    # Keras warns of data sets whose length it only learns at their end.
    return stream.take(steps).apply(tf.data.experimental.assert_cardinality(steps))


def make_strategy(name: str) -> tf.distribute.Strategy:
    """The strategy for a command-line name.

    Args:
        name: ``"one"``, this device; ``"mirrored"``, all GPUs of this machine; ``"multi-worker"``,
            the machines that TF_CONFIG lists. The last must be created before any other
            computation.

    Returns:
        The strategy.

    Raises:
        ValueError: If ``name`` is none of these, or is ``"multi-worker"`` without TF_CONFIG.

    Example:
        >>> make_strategy("one").num_replicas_in_sync
        1
    """
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name != "multi-worker":
        raise ValueError(f'Expected "one", "mirrored" or "multi-worker". Received: {name!r}.')
    if "TF_CONFIG" not in os.environ:
        raise ValueError(
            "Expected the environment variable TF_CONFIG, which lists the workers and says which "
            "one this is. Received: none."
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def worker_count(strategy: tf.distribute.Strategy) -> int:
    """Number of processes, on one or more machines, that train one model together.

    Args:
        strategy: The strategy.

    Returns:
        How many workers TF_CONFIG names under a ``MultiWorkerMirroredStrategy``; 1 under any other.

    Example:
        >>> worker_count(tf.distribute.get_strategy())
        1
    """
    resolver = strategy.cluster_resolver
    if resolver is None:
        return 1
    cluster = resolver.cluster_spec()
    # Evaluators and parameter servers, which may also be listed, take no part of the batch.
    training = [job for job in cluster.jobs if job in ("chief", "worker")]
    return max(1, sum(cluster.num_tasks(job) for job in training))


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns when every worker has called it.

    A worker that ends while others still compute would be taken by them for one that has crashed.

    Args:
        strategy: The strategy.

    Example:
        >>> wait_for_all(tf.distribute.get_strategy())
    """
    if worker_count(strategy) > 1:
        ones = strategy.run(lambda: tf.constant(1.0))
        strategy.reduce(tf.distribute.ReduceOp.SUM, ones, axis=None)


def is_chief() -> bool:
    """Whether this process is the one that writes files for all workers.

    Returns:
        True outside a strategy, on a single machine, and on the first of several workers.

    Example:
        >>> is_chief()
        True
    """
    resolver = tf.distribute.get_strategy().cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "chief":
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "worker" and resolver.task_id == 0 and not has_chief
