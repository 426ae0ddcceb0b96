"""Our whole training step compared with lightly's BYOL in PyTorch, in pairs of views per second.

    python -m benchmarks.speed.training_step --peers=.venv-peers/bin/python [--settings=resnet18_96]

ResNet-18 at 96 pixels in batches of 32 and ResNet-50 at 224 in batches of 8, on a batch of random
pictures already in memory. Ours: BYOL and HAPiCL with its NT-Xent branch, with default widths, in
each dtype policy, with colors augmented beforehand as in ``fit`` on a host without GPUs; ``fit`` is
an epoch of ``model.fit`` with a CSV log, ``fit from records`` a whole ``model.fit`` of 32 steps
that also makes its views. lightly's: modules of the same widths, in float32 and bfloat16, in both
memory layouts, compiled and not; and its published example unchanged. ``one thread a kernel`` runs
kernels side by side instead of each on all cores. Writes ``training_step_SETTING.csv`` and plots to
``--results``.
"""

from collections.abc import Callable

import harl_tf  # noqa: F401  # isort: skip  (before TensorFlow: turns oneDNN on)
import keras
import tensorflow as tf
from absl import app, flags

from benchmarks.harness import arguments, entries, plots, results, side_by_side, steps
from benchmarks.harness.contestant import serve, steady
from benchmarks.harness.machine import processor
from benchmarks.harness.side_by_side import Contestant
from benchmarks.harness.steps import SETTINGS, Setting
from benchmarks.harness.summary import by_contestant, summary
from benchmarks.speed.fits import epoch_of_fit, fit_from_records

FLAGS = flags.FLAGS
arguments.define("results", "peers", "rounds", "contestant")
flags.DEFINE_list("settings", list(SETTINGS), "Which of the settings to measure.")
flags.DEFINE_list("only", [], "Contestants to measure. Default: all.")
flags.DEFINE_list("groups", "1,2,3,4", "Groups to measure; the table keeps the other groups' rows.")

REFERENCE = "harl_tf BYOL float32"
PEERS = "lightly"
"""Prefix of the names of contestants that run in the peers' environment."""

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
"""Groups that take turns; the first contestant is the reference for ratios. All at once would not
fit into memory."""

ENVIRONMENTS = {
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "one thread a kernel": {"TF_NUM_INTRAOP_THREADS": "1"},
}
"""Suffixes of names, and the environment variables that they stand for."""


def measured(name: str, setting: Setting) -> Callable[[], int]:
    """What one of our contestants repeats; returns the number of pairs."""
    method, policy = name.split()[1:3]
    model = steps.compiled(method, policy, setting, jit_compile=name.endswith("XLA"))
    if name.endswith("fit from records"):
        return fit_from_records(model, setting)
    if name.endswith("fit"):
        return epoch_of_fit(model, setting)
    one_step = steps.step_of(model, steps.same_batch(setting.batch, setting.image_size))

    def step() -> int:
        one_step()
        return setting.batch

    return step


def take_part() -> None:
    """Runs as a contestant."""
    (setting,) = FLAGS.settings
    measure = steady(measured(FLAGS.contestant, SETTINGS[setting]), seconds=6.0)
    serve(measure, tensorflow=tf.__version__, keras=keras.__version__)


def contestant(name: str, setting: str) -> Contestant:
    """A contestant, ready to start."""
    if name.startswith(PEERS):
        return entries.peer("benchmarks.peers.training_step", name, *SETTINGS[setting])
    environments = (each for end, each in ENVIRONMENTS.items() if name.endswith(end))
    return entries.ours(
        "benchmarks.speed.training_step",
        name,
        f"--settings={setting}",
        environment=next(environments, None),
    )


def takes_part(name: str) -> bool:
    """Whether a contestant was requested and its environment exists."""
    if FLAGS.only and name not in FLAGS.only:
        return False
    return bool(FLAGS.peers) or not name.startswith(PEERS)


def groups() -> dict[str, list[str]]:
    """The contestants that were requested and can be measured here, by group number."""
    chosen = {str(number): group for number, group in enumerate(GROUPS, start=1)}
    chosen = {number: group for number, group in chosen.items() if number in FLAGS.groups}
    if not {"avx512_bf16", "amx_bf16"} & set(processor().split()):
        print("This processor does not compute in bfloat16: measured in float32 only.")
        chosen = {number: group for number, group in chosen.items() if "bfloat16" not in group[0]}
    here = {number: [*filter(takes_part, group)] for number, group in chosen.items()}
    return {number: names for number, names in here.items() if names}


def main(_: list[str]) -> None:
    """Measures, or runs as a contestant."""
    if FLAGS.contestant:
        take_part()
        return
    chosen = groups()
    for setting in FLAGS.settings:
        table = f"training_step_{setting}.csv"
        for number, group in chosen.items():
            entered = [contestant(name, setting) for name in group]
            result = side_by_side.run(entered, FLAGS.rounds)
            rows: list[dict[str, object]] = [
                {**row} for row in results.read(table) if row["group"] != number
            ]
            rows += summary(result, group[0], setting=setting, group=number)
            results.write(table, sorted(rows, key=lambda row: str(row["group"])))
        draw(setting, table)


def draw(setting: str, table: str) -> None:
    """Plots one bar per contestant of a table."""
    depth, image_size, _ = SETTINGS[setting]
    title = f"ResNet-{depth} at {image_size} pixels, {processor()}"
    bars = list(by_contestant(results.read(table)).values())
    picture = results.path(table).with_suffix(".png")
    plots.bars(bars, picture, title, "pairs of views per second")


if __name__ == "__main__":
    app.run(main)
