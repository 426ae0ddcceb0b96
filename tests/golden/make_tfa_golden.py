"""Writes ``tfa_golden.npz``: what tensorflow-addons 0.23.0 computes, inputs beside outputs.

Owns the cases; ``test_tfa_golden.py`` compares their replacements with them and needs neither this
script nor tensorflow-addons. The script runs in an environment of its own, Python 3.11 with:

    pip install "tensorflow-cpu==2.15.1" "numpy<2"
    pip install "tensorflow-addons==0.23.0"

as ``python tests/golden/make_tfa_golden.py``. Arrays are named ``function/case/name``, and
``settings`` is JSON with the other arguments of each ``function/case``. Another processor may round
the last bits differently.
"""

import json
import pathlib
import warnings
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

PATH = pathlib.Path(__file__).with_name("tfa_golden.npz")
STEPS = 8
SHAPES = {"kernel": (4, 3), "faint": (5,), "zeros": (3,), "bias": (3,)}

Arrays = dict[str, Any]


def npairs_loss(tfa: ModuleType, random: np.random.Generator) -> dict[str, Arrays]:
    """Loss and its gradient; labels once, and in groups."""
    labels = {
        "distinct": [3, 1, 4, 0, 5],
        "groups": [7, 7, 7, -2, 0, -2, 7, 5],
    }
    cases: dict[str, Arrays] = {}
    for case, y_true in labels.items():
        y_pred = tf.constant(random.normal(scale=2.0, size=(len(y_true),) * 2), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            loss = tfa.losses.npairs_loss(tf.constant(y_true), y_pred)
        gradient = tape.gradient(loss, y_pred)
        cases[case] = {"y_true": y_true, "y_pred": y_pred, "loss": loss, "gradient": gradient}
    return cases


def follow(
    optimizer: Any,
    start: dict[str, Any],
    gradients: dict[str, Any],
    read: Callable[[Any], Any] | None = None,
) -> Arrays:
    """Variables after each step, the gradients being given; ``columns`` names each one's numbers.

    Variables are flattened and joined. ``read`` may add a reading of each at each step.
    """
    variables = {name: tf.Variable(value, name=name) for name, value in start.items()}
    result: Arrays = {
        "columns": np.concatenate([[name] * value.size for name, value in start.items()]),
        "start": joined(start.values()),
        "gradients": np.concatenate([g.reshape(len(g), -1) for g in gradients.values()], axis=1),
        "values": [],
    }
    for step in range(len(result["gradients"])):
        optimizer.apply_gradients(
            (tf.constant(gradients[name][step]), variable) for name, variable in variables.items()
        )
        result["values"].append(joined(variables.values()))
        if read is not None:
            readings = [read(variable) for variable in variables.values()]
            result.setdefault("averages", []).append(joined(readings))
    return result


def joined(variables: Iterable[Any]) -> Any:
    return np.concatenate([np.ravel(variable) for variable in variables])


def follow_random(
    optimizer: Any, random: np.random.Generator, read: Callable[[Any], Any] | None = None
) -> Arrays:
    """``follow`` with a matrix and vectors.

    ``faint`` has gradients of about 1e-5, where an epsilon of 1e-6 matters; ``zeros`` starts at 0,
    where LAMB has no trust ratio.
    """
    start = {name: random.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}
    start["zeros"][:] = 0.0
    gradients = {
        name: random.normal(size=(STEPS, *shape)).astype("float32")
        for name, shape in SHAPES.items()
    }
    gradients["faint"] *= np.float32(1e-5)
    return follow(optimizer, start, gradients, read)


def lamb(tfa: ModuleType, random: np.random.Generator) -> dict[str, Arrays]:
    """Weight decay 0 and above; ``bias`` within, or out of decay and so of the trust ratio, too."""
    settings: dict[str, dict[str, Any]] = {
        "no_decay": {"weight_decay": 0.0},
        "decay": {"weight_decay": 0.2},
        "decay_except_bias": {"weight_decay": 0.2, "exclude_from_weight_decay": ["bias"]},
    }
    rates = {"learning_rate": 0.02, "epsilon": 1e-6}
    return {
        case: follow_random(tfa.optimizers.LAMB(**rates, **options), random)
        | {"settings": rates | options}
        for case, options in settings.items()
    }


def decoupled_decay(tfa: ModuleType, random: np.random.Generator) -> dict[str, Arrays]:
    """AdamW has a beta_2 that float32 holds: 1 - .999 was computed in it, 1e-5 of it too little."""
    rates = {"learning_rate": 0.05, "weight_decay": 0.01}
    adamw, sgdw = rates | {"beta_2": 1 - 2**-10}, rates | {"momentum": 0.9}
    return {
        "adamw": follow_random(tfa.optimizers.AdamW(**adamw), random) | {"settings": adamw},
        "sgdw": follow_random(tfa.optimizers.SGDW(**sgdw), random) | {"settings": sgdw},
    }


def averages(tfa: ModuleType, random: np.random.Generator) -> dict[str, Arrays]:
    """Averages of the variables beside the variables, on plain SGD."""

    def cases_of(name: str, options: dict[str, Any]) -> Arrays:
        sgd = keras.optimizers.legacy.SGD(0.1)
        optimizer = getattr(tfa.optimizers, name)(sgd, **options)
        result = follow_random(optimizer, random, lambda v: optimizer.get_slot(v, "average"))
        return result | {"settings": options | {"learning_rate": 0.1}}

    return {
        "moving": cases_of("MovingAverage", {"average_decay": 0.9}),
        "moving_from_step_1": cases_of("MovingAverage", {"average_decay": 0.9, "start_step": 1}),
        "swa": cases_of("SWA", {"start_averaging": 1, "average_period": 2}),
    }


def cyclical_learning_rate(tfa: ModuleType) -> dict[str, Arrays]:
    rates = {"initial_learning_rate": 1e-3, "maximal_learning_rate": 0.1, "step_size": 4.0}
    schedules: dict[str, dict[str, float]] = {
        "Triangular": rates,
        "Triangular2": rates,
        "Exponential": rates | {"gamma": 0.9},
    }
    steps = np.arange(25, dtype=np.float32)
    cases: dict[str, Arrays] = {}
    for case, settings in schedules.items():
        schedule = getattr(tfa.optimizers, f"{case}CyclicalLearningRate")(**settings)
        values = [schedule(step) for step in steps]
        cases[case] = {"steps": steps, "rates": values, "settings": settings}
    return cases


def gaussian_filter2d(tfa: ModuleType, random: np.random.Generator) -> dict[str, Arrays]:
    """Images in [0, 1]; ``edge`` is an image that was extended by its last pixels beforehand."""
    settings: dict[str, dict[str, Any]] = {
        "reflect_5x5": {"filter_shape": (5, 5), "sigma": 0.8},
        "reflect_3x7": {"filter_shape": (3, 7), "sigma": (0.5, 2.0)},
        "symmetric_5x5": {"filter_shape": (5, 5), "sigma": 1.5, "padding": "SYMMETRIC"},
        "constant_5x5": {"filter_shape": (5, 5), "sigma": 1.2, "padding": "CONSTANT"},
    }
    cases: dict[str, Arrays] = {}

    def add(case: str, image: Any, options: dict[str, Any]) -> None:
        options = {"padding": "REFLECT", **options}
        output = tfa.image.gaussian_filter2d(image, **options)
        cases[case] = {"image": image, "output": output, "settings": options}

    image = random.uniform(size=(11, 14, 2)).astype("float32")
    for case, options in settings.items():
        add(case, image, options)
    image = random.uniform(size=(16, 14, 3)).astype("float32")
    edge = np.pad(image, ((5, 5), (5, 5), (0, 0)), mode="edge")
    add("edge", edge, {"filter_shape": (11, 11), "sigma": 1.0})
    return cases


def main() -> None:
    """Computes all cases and writes the file."""
    warnings.simplefilter("ignore")
    tf.get_logger().setLevel("ERROR")
    import tensorflow_addons as tfa  # not at the top: the tests' collection imports this module

    random = np.random.default_rng(23)
    functions = {
        "npairs_loss": npairs_loss(tfa, random),
        "lamb": lamb(tfa, random),
        "decoupled_decay": decoupled_decay(tfa, random),
        "averages": averages(tfa, random),
        "cyclical_learning_rate": cyclical_learning_rate(tfa),
        "gaussian_filter2d": gaussian_filter2d(tfa, random),
    }
    arrays: Arrays = {}
    settings: dict[str, Any] = {}
    for function, cases in functions.items():
        for case, values in cases.items():
            settings[f"{function}/{case}"] = values.pop("settings", {})
            arrays |= {f"{function}/{case}/{name}": np.array(v) for name, v in values.items()}
    assert all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f")
    np.savez_compressed(PATH, settings=json.dumps(settings), **arrays)
    print(f"{PATH}: {len(arrays)} arrays, {PATH.stat().st_size} bytes, tfa {tfa.__version__}")


if __name__ == "__main__":
    main()
