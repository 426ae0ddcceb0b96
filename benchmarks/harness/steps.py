"""Training steps for timing: the models, their sizes, and the compiled step of each.

The commands choose what they measure; the batch is that of ``benchmarks.harness.step_batch``.
"""

from collections.abc import Callable
from typing import NamedTuple

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import tensorflow as tf

from benchmarks.harness.step_batch import make_batch
from harl_tf import backbones
from harl_tf.pretraining import Pretraining


class Setting(NamedTuple):
    """A training setting.

    Attributes:
        depth: Depth of the ResNet.
        image_size: Side of the views in pixels.
        batch: Photographs per batch.
    """

    depth: int
    image_size: int
    batch: int


SETTINGS = {"resnet18_96": Setting(18, 96, 32), "resnet50_224": Setting(50, 224, 8)}
METHODS: dict[str, Callable[[keras.Model], Pretraining]] = {
    "BYOL": harl_tf.BYOL,
    "HAPiCL": harl_tf.HAPiCL,
    "SimCLR": harl_tf.SimCLR,
}


def compiled(method: str, policy: str, setting: Setting, jit_compile: bool = False) -> Pretraining:
    """A method with its default widths, ready to train."""
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    model = METHODS[method](backbones.resnet(setting.depth))
    prepare(model, jit_compile)
    return model


def prepare(model: Pretraining, jit_compile: bool = False) -> None:
    """Compiles a model with SGD and creates the optimizer's variables before the first step."""
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), jit_compile=jit_compile)
    model.optimizer.build(model.trainable_variables)


def same_batch(rows: int, side: int) -> tf.data.Dataset:
    """The same batch, repeated endlessly."""
    return tf.data.Dataset.from_tensors(make_batch(rows, side)).repeat()


def step_of(model: Pretraining, data: tf.data.Dataset) -> Callable[[], float]:
    """A bare training step as in ``fit``; waits for the loss and returns it."""
    function, batches = model.make_train_function(), iter(data)
    return lambda: float(function(batches)["loss"])
