"""A run that saves after every step, as a process of its own, to be killed at any moment.

Arguments: records, folder, epochs, replicas. It goes on where an earlier one ended; the final
weights are left in ``FOLDER/weights.npz``. With TF_CONFIG it is one of several workers.
"""

import os
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

import harl_tf
from tests.networks import tiny_methods


def strategy_of(replicas: int) -> tf.distribute.Strategy:
    if "TF_CONFIG" in os.environ:
        return harl_tf.distribution.make_strategy("multi-worker")
    if replicas == 1:
        return tf.distribute.get_strategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * replicas
    tf.config.set_logical_device_configuration(cpu, parts)
    return tf.distribute.MirroredStrategy(
        [f"CPU:{index}" for index in range(replicas)],
        tf.distribute.HierarchicalCopyAllReduce(),
    )


class Begun(keras.callbacks.Callback):
    """Says that the first step of this process has been taken and saved, which takes seconds."""

    def __init__(self, checkpoint):
        super().__init__()
        self.checkpoint, self.start = checkpoint, None

    def on_train_begin(self, logs=None):
        self.start = self.checkpoint.position

    def on_train_batch_end(self, batch, logs=None):
        if self.start is not None and self.checkpoint.position > self.start:
            print("begun", flush=True)
            self.start = None

    on_epoch_end = on_train_batch_end


def main(records: str, folder: str, epochs: str, replicas: str) -> None:
    tf.config.experimental.enable_op_determinism()
    strategy = strategy_of(int(replicas))
    keras.utils.set_random_seed(0)
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    steps = int(epochs) * views.steps_per_epoch
    with strategy.scope():
        model = tiny_methods()["moco_v2"]()
        model.compile(keras.optimizers.AdamW(harl_tf.schedules.warmup_cosine(0.01, steps, 3)))
    run = pathlib.Path(folder)
    checkpoint = harl_tf.callbacks.Checkpoint(run, views, minutes=0)
    first = checkpoint.resume(model)
    with strategy.scope():
        chief = harl_tf.distribution.is_chief()
    log = [harl_tf.callbacks.EpochLog(run / "log.csv")] if chief else []
    model.fit(
        views,
        epochs=int(epochs),
        initial_epoch=first,
        callbacks=[*log, checkpoint, Begun(checkpoint)],
        verbose=0,
    )
    if chief:
        np.savez(run / "weights.npz", *[variable.numpy() for variable in model.variables])


if __name__ == "__main__":
    main(*sys.argv[1:])
