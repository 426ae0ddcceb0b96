"""A whole training step of ours beside lightly's BYOL in PyTorch, in pairs of views a second.

    python -m benchmarks.speed.training_step --peers=.venv-peers/bin/python [--settings=resnet18_96]

ResNet-18 at 96 pixels in batches of 32 and ResNet-50 at 224 in batches of 8, on a batch of random
pictures that is there already. Ours: BYOL and HAPiCL with its NT-Xent branch, at their default
widths, in each dtype policy, colours changed beforehand as ``fit`` has it on a host without GPUs;
``fit`` is an epoch of ``model.fit`` with a CSV log, ``fit from records`` a whole ``model.fit`` of
32 steps that makes its views beside them. lightly's: modules of the same widths, in
float32 and bfloat16, in both memory layouts, compiled and not; and its published example as it
stands. ``one thread a kernel`` lets kernels run beside each other instead of each on all cores.
Writes ``training_step_SETTING.csv`` and plots into ``--results``.
"""

from benchmarks.harness.contestant import protocol, serve, steady

if __name__ == "__main__":
    import sys

    STREAM = protocol() if any(word.startswith("--contestant") for word in sys.argv) else None

import functools
import os
import pathlib
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import harl_tf  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import tensorflow as tf
from absl import app, flags

import mask_generation
from benchmarks.harness import side_by_side
from benchmarks.harness.photographs import photographs_of_scikit_image
from benchmarks.harness.side_by_side import Contestant
from benchmarks.harness.step_batch import make_batch
from harl_tf import backbones, pretraining

FLAGS = flags.FLAGS
flags.DEFINE_string("peers", None, "Python of the peers' environment. Default: without peers.")
flags.DEFINE_list("settings", "resnet18_96,resnet50_224", "Which of the settings to measure.")
flags.DEFINE_list("only", [], "Contestants to measure. Default: all.")
flags.DEFINE_list("groups", "1,2,3,4", "Groups to measure; the table keeps its rows of the others.")
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
METHODS: dict[str, Callable[[keras.Model], pretraining.Pretraining]] = {
    "BYOL": harl_tf.BYOL,
    "HAPiCL": harl_tf.HAPiCL,
    "SimCLR": harl_tf.SimCLR,
}
REFERENCE = "harl_tf BYOL float32"
PEERS = "lightly"
"""With this word begin the names of those that run in the peers' environment."""

GROUPS = (
    (
        REFERENCE,
        "harl_tf BYOL float32 one thread a kernel",
        "harl_tf HAPiCL float32",
        "lightly float32",
        "lightly float32 channels_last",
        "lightly float32 channels_last compiled",
        "lightly example",
    ),
    (
        "harl_tf BYOL mixed_bfloat16",
        "harl_tf BYOL mixed_bfloat16 one thread a kernel",
        "harl_tf HAPiCL mixed_bfloat16",
        "lightly bfloat16 channels_last",
        "lightly bfloat16 channels_last compiled",
        "lightly example",
    ),
    (
        REFERENCE,
        "harl_tf BYOL float32 fit",
        "harl_tf BYOL float32 fit from records",
        "harl_tf BYOL float32 XLA",
        "harl_tf BYOL float32 without oneDNN",
        "harl_tf SimCLR float32",
    ),
    (
        "harl_tf BYOL mixed_bfloat16",
        "harl_tf BYOL mixed_bfloat16 fit",
        "harl_tf BYOL mixed_bfloat16 fit from records",
    ),
)
"""Who takes turns with whom, the first being what the others are divided by; all at once would not
fit into memory."""

ENVIRONMENTS = {
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "one thread a kernel": {"TF_NUM_INTRAOP_THREADS": "1"},
}
"""What names end in, and the variables that make it true."""


def compiled(name: str, setting: Setting) -> pretraining.Pretraining:
    """The model of one of ours."""
    method, policy = name.split()[1:3]
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    model = METHODS[method](backbones.resnet(setting.depth))
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    model.compile(optimizer, jit_compile=name.endswith("XLA"))
    model.optimizer.build(model.trainable_variables)
    return model


def batches_of(setting: Setting) -> tf.data.Dataset:
    """The same batch again and again."""
    arrays = make_batch(setting.batch, setting.image_size)
    return tf.data.Dataset.from_tensors(arrays).repeat()


def bare_step(name: str, setting: Setting) -> Callable[[], int]:
    """The compiled step and nothing else."""
    function, batches = compiled(name, setting).make_train_function(), iter(batches_of(setting))

    def step() -> int:
        float(function(batches)["loss"])
        return setting.batch

    return step


class OneEpochATurn(keras.callbacks.Callback):
    """Lets ``fit`` run an epoch when asked to, so that its start and end are not measured."""

    def __init__(self) -> None:
        super().__init__()
        self._may, self._done = threading.Semaphore(0), threading.Semaphore(0)

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Waits."""
        self._may.acquire()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Says so."""
        self._done.release()

    def run(self) -> None:
        """An epoch."""
        self._may.release()
        self._done.acquire()


def epoch_of_fit(name: str, setting: Setting, steps: int = 4) -> Callable[[], int]:
    """An epoch of a ``fit`` that goes on for ever, with a CSV log."""
    turns = OneEpochATurn()
    log = keras.callbacks.CSVLogger(os.path.join(tempfile.mkdtemp(), "log.csv"))
    settings = {"steps_per_epoch": steps, "epochs": 10**6, "verbose": 0, "shuffle": False}
    model, data = compiled(name, setting), batches_of(setting)
    fit = functools.partial(model.fit, data, callbacks=[turns, log], **settings)
    threading.Thread(target=fit, daemon=True).start()

    def epoch() -> int:
        turns.run()
        return steps * setting.batch

    return epoch


def fit_from_records(name: str, setting: Setting, steps: int = 32) -> Callable[[], int]:
    """A whole ``fit`` on records, which decodes, cuts and colours on the same processors.

    Whole, so that no views are made while others have their turn; long, so that its start, which
    builds the stream and waits for the first batch, does not count for much.
    """
    work = pathlib.Path(tempfile.mkdtemp())
    (work / "photographs").mkdir()
    photographs_of_scikit_image(work / "photographs")
    mask_generation.convert(
        work / "photographs", work / "records", "fast", flagged="keep", progress=False
    )
    views = harl_tf.data.PairedViews(work / "records", setting.batch, setting.image_size)
    model = compiled(name, setting)

    def fit() -> int:
        model.fit(views, steps_per_epoch=steps, verbose=0)
        return steps * setting.batch

    return fit


def step_of(name: str, setting: Setting) -> Callable[[], int]:
    """What one of ours repeats."""
    if name.endswith("records"):
        return fit_from_records(name, setting)
    return (epoch_of_fit if name.endswith("fit") else bare_step)(name, setting)


def take_part() -> None:
    """The contestant's side."""
    (setting,) = FLAGS.settings
    measure = steady(step_of(FLAGS.contestant, SETTINGS[setting]), seconds=6.0)
    serve(STREAM, measure, tensorflow=tf.__version__, keras=keras.__version__)


def contestant(name: str, setting: str) -> Contestant:
    """A contestant, ready to be started."""
    if name.startswith(PEERS):
        script = pathlib.Path(__file__).parents[1] / "peers" / "training_step.py"
        numbers = [str(value) for value in SETTINGS[setting]]
        return Contestant(name, [FLAGS.peers, str(script), name, *numbers])
    module = [sys.executable, "-m", "benchmarks.speed.training_step"]
    environments = (each for end, each in ENVIRONMENTS.items() if name.endswith(end))
    command = [*module, f"--settings={setting}", f"--contestant={name}"]
    return Contestant(name, command, next(environments, {}))


def takes_part(name: str) -> bool:
    """Whether a contestant was asked for, and its environment is there."""
    if FLAGS.only and name not in FLAGS.only:
        return False
    return bool(FLAGS.peers) or not name.startswith(PEERS)


def groups() -> dict[str, list[str]]:
    """By number, the contestants that were asked for and can be measured here."""
    chosen = {str(number): group for number, group in enumerate(GROUPS, start=1)}
    chosen = {number: group for number, group in chosen.items() if number in FLAGS.groups}
    if not {"avx512_bf16", "amx_bf16"} & set(side_by_side.processor().split()):
        print("This processor does not compute in bfloat16: measured in float32 only.")
        chosen = {number: group for number, group in chosen.items() if "bfloat16" not in group[0]}
    here = {number: [*filter(takes_part, group)] for number, group in chosen.items()}
    return {number: names for number, names in here.items() if names}


def main(_: list[str]) -> None:
    """Measures, or takes part."""
    if FLAGS.contestant:
        take_part()
        return
    chosen = groups()
    for name in FLAGS.settings:
        table = pathlib.Path(FLAGS.results, f"training_step_{name}.csv")
        for number, group in chosen.items():
            result = side_by_side.run([contestant(each, name) for each in group], FLAGS.rounds)
            before = side_by_side.read(table) if table.exists() else []
            rows = [row for row in before if row["group"] != number]
            rows += side_by_side.summary(result, group[0], setting=name, group=number)
            side_by_side.write(sorted(rows, key=lambda row: row["group"]), table)
        draw(name, table)


def draw(name: str, table: pathlib.Path) -> None:
    """A bar for each contestant of a table."""
    depth, image_size, _ = SETTINGS[name]
    title = f"ResNet-{depth} at {image_size} pixels, {side_by_side.processor()}"
    bars = list(side_by_side.by_contestant(side_by_side.read(table)).values())
    side_by_side.plot(bars, table.with_suffix(".png"), title, "pairs of views per second")


if __name__ == "__main__":
    app.run(main)
