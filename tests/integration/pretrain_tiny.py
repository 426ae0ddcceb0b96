"""A pretraining run as a process of its own, to be killed: records, run, epochs, weights, [kill].

With ``kill`` it kills itself in the middle of that epoch (counted from 0), without a chance to
clean up; without, it writes its final weights.
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


def main(records: str, run: str, epochs: str, weights: str, kill: str = "") -> None:
    tf.config.experimental.enable_op_determinism()
    views = harl_tf.data.PairedViews(records, batch_size=4, image_size=32)
    model = tiny_hapicl()
    checkpoint = harl_tf.callbacks.Checkpoint(run, views)
    first = checkpoint.resume(model)
    print(f"from epoch {first}")
    model.fit(
        views.from_epoch(first),
        steps_per_epoch=views.steps_per_epoch,
        epochs=int(epochs),
        initial_epoch=first,
        callbacks=[checkpoint, *([Kill(int(kill))] if kill else [])],
        shuffle=False,
        verbose=0,
    )
    np.savez(weights, *[variable.numpy() for variable in model.variables])


if __name__ == "__main__":
    main(*sys.argv[1:])
