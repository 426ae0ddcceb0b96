"""A pretraining run as a process of its own, to be killed.

Arguments: records, run, epochs, weights, [kill, [part]]. With ``kill`` it kills itself in the
middle of that epoch (counted from 0), without a chance to clean up; without, or if it is "never",
it writes its final weights. ``part`` is the length of a first part in epochs: the rate falls to 0
in it, and again in the rest of the run.
"""

import os
import signal
import sys

import keras
import numpy as np
import tensorflow as tf

import harl_tf
from tests.networks import tiny_hapicl


class Kill(keras.callbacks.Callback):
    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.doomed = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.doomed and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def rate(epochs: int, part: int, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    first = harl_tf.schedules.warmup_cosine(0.05, part * steps, 1)
    if epochs == part:
        return first
    second = harl_tf.schedules.warmup_cosine(0.05, (epochs - part) * steps, 1)
    return harl_tf.schedules.InParts([first, second], [part * steps])


def main(
    records: str, run: str, epochs: str, weights: str, kill: str = "never", part: str = ""
) -> None:
    tf.config.experimental.enable_op_determinism()
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    model = tiny_hapicl()
    if part:
        schedule = rate(int(epochs), int(part), views.steps_per_epoch)
        model.compile(keras.optimizers.AdamW(schedule))
    checkpoint = harl_tf.callbacks.Checkpoint(run, views)
    first = checkpoint.resume(model)
    print(f"from epoch {first}")
    model.fit(
        views.from_epoch(first),
        steps_per_epoch=views.steps_per_epoch,
        epochs=int(epochs),
        initial_epoch=first,
        callbacks=[checkpoint, *([Kill(int(kill))] if kill != "never" else [])],
        shuffle=False,
        verbose=0,
    )
    np.savez(weights, *[variable.numpy() for variable in model.variables])


if __name__ == "__main__":
    main(*sys.argv[1:])
