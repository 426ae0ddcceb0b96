"""A whole training step of ours beside lightly's BYOL in PyTorch, in pairs of views a second.

    python -m benchmarks.training_step --peers=.venv-peers/bin/python [--settings=resnet18_96]

ResNet-18 at 96 pixels in batches of 32 and ResNet-50 at 224 in batches of 8, on a batch of random
pictures that is there already. Ours: BYOL and HAPiCL with its NT-Xent branch, at their default
widths, in each dtype policy, colours changed beforehand as ``fit`` has it on a host without GPUs;
``fit`` is BYOL through ``model.fit`` with a CSV log. lightly's: modules of the same widths, in
float32 and bfloat16, in both memory layouts, compiled and not; and its published example as it
stands. Writes ``training_step_SETTING.csv`` and plots into ``--results``.
"""

from benchmarks.contestant import protocol, serve, steady

if __name__ == "__main__":
    import sys

    STREAM = protocol() if any(word.startswith("--contestant") for word in sys.argv) else None

import os
import pathlib
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks import side_by_side
from benchmarks.side_by_side import Contestant
from harl_tf import models

FLAGS = flags.FLAGS
flags.DEFINE_string("peers", None, "Python of the peers' environment. Default: without peers.")
flags.DEFINE_list("settings", "resnet18_96,resnet50_224", "Which of the settings to measure.")
flags.DEFINE_list("only", [], "Contestants to measure. Default: all.")
flags.DEFINE_integer("rounds", 9, "Rounds that are to count.")
flags.DEFINE_string("results", "benchmarks/results", "Folder for tables and plots.")
flags.DEFINE_string("contestant", None, "Internal: which contestant this process is.")


class Setting(NamedTuple):
    """What is trained.

    Attributes:
        depth: Of the ResNet.
        image_size: Side of the views in pixels.
        batch: Photographs.
    """

    depth: int
    image_size: int
    batch: int


SETTINGS = {"resnet18_96": Setting(18, 96, 32), "resnet50_224": Setting(50, 224, 8)}
METHODS: dict[str, Callable[[keras.Model], models.Pretraining]] = {
    "BYOL": harl_tf.BYOL,
    "HAPiCL": harl_tf.HAPiCL,
    "SimCLR": harl_tf.SimCLR,
}
OURS = (
    "harl_tf BYOL float32",
    "harl_tf BYOL float32 fit",
    "harl_tf BYOL mixed_bfloat16",
    "harl_tf HAPiCL float32",
    "harl_tf HAPiCL mixed_bfloat16",
    "harl_tf SimCLR float32",
)
PEERS = (
    "lightly float32",
    "lightly float32 channels_last",
    "lightly float32 channels_last compiled",
    "lightly bfloat16 channels_last",
    "lightly bfloat16 channels_last compiled",
    "lightly example",
)


def make_batch(setting: Setting) -> dict[str, np.ndarray]:
    """Random pictures with discs as masks; cost does not depend on what is in them."""
    random = np.random.default_rng(0)
    rows, side = setting.batch, setting.image_size
    grid = np.mgrid[:side, :side] / side
    centres = random.uniform(0.3, 0.7, (2, rows, 2, 1, 1))
    masks = (((grid - centres) ** 2).sum(axis=2) < 0.09).astype("uint8")
    batch = {"seed": random.integers(0, 2**31, (rows, 2)).astype("int32")}
    for view in (0, 1):
        images = random.uniform(0, 255, (rows, side, side, 3)).astype("float32")
        batch |= {f"coloured{view + 1}": images, f"mask{view + 1}": masks[view]}
    return batch


def step_of(name: str, setting: Setting) -> Callable[[], int]:
    """A training step of one of ours, or an epoch of ``fit``."""
    method, policy = name.split()[1:3]
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    model = METHODS[method](models.resnet(setting.depth))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    model.optimizer.build(model.trainable_variables)
    data = tf.data.Dataset.from_tensors(make_batch(setting)).repeat()
    if name.endswith("fit"):
        log = keras.callbacks.CSVLogger(os.path.join(tempfile.mkdtemp(), "log.csv"))

        def epoch() -> int:
            steps = 8
            model.fit(data, steps_per_epoch=steps, callbacks=[log], verbose=0, shuffle=False)
            return steps * setting.batch

        return epoch
    function, batches = model.make_train_function(), iter(data)

    def step() -> int:
        float(function(batches)["loss"])
        return setting.batch

    return step


def take_part() -> None:
    """The contestant's side."""
    (setting,) = FLAGS.settings
    measure = steady(step_of(FLAGS.contestant, SETTINGS[setting]), seconds=6.0)
    serve(STREAM, measure, tensorflow=tf.__version__, keras=keras.__version__)


def main(_: list[str]) -> None:
    """Measures, or takes part."""
    if FLAGS.contestant:
        take_part()
        return
    script = pathlib.Path(__file__).parent / "peers" / "training_step.py"
    for name in FLAGS.settings:
        setting = SETTINGS[name]
        own = [sys.executable, "-m", "benchmarks.training_step", f"--settings={name}"]
        contestants = [Contestant(each, [*own, f"--contestant={each}"]) for each in OURS]
        if FLAGS.peers:
            numbers = [str(value) for value in setting]
            peer = [FLAGS.peers, str(script)]
            contestants += [Contestant(each, [*peer, each, *numbers]) for each in PEERS]
        chosen = [each for each in contestants if not FLAGS.only or each.name in FLAGS.only]
        if not {"avx512_bf16", "amx_bf16"} & set(side_by_side.processor().split()):
            print("This processor does not compute in bfloat16: measured in float32 only.")
            chosen = [each for each in chosen if "bfloat16" not in each.name]
        result = side_by_side.run(chosen, FLAGS.rounds)
        rows = side_by_side.summary(result, chosen[0].name, setting=name)
        table = pathlib.Path(FLAGS.results, f"training_step_{name}.csv")
        side_by_side.write(rows, table)
        title = f"ResNet-{setting.depth} at {setting.image_size} pixels, {side_by_side.processor()}"
        side_by_side.plot(rows, table.with_suffix(".png"), title, "pairs of views per second")


if __name__ == "__main__":
    app.run(main)
