"""``python -m harl_tf evaluate`` and ``transfer``: what a backbone is worth for classes.

Owns what is printed. The measures are ``harl_tf.evaluation``'s.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from harl_tf.commands import photographs
from harl_tf.commands.evaluating import measured, tuned
from harl_tf.commands.evaluating.sets import parts
from harl_tf.commands.opening import backbone_of, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.evaluation import EVALUATORS, Labeled, Measured, evaluate
from harl_tf.evaluation.optional import needed


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone and prints, and perhaps writes, what was measured."""
    names, size, networks = _opened(arguments)
    places = arguments.folder, arguments.test
    with measured.table(arguments.csv) as rows:
        for row in _rows(arguments, places, names, size, networks):
            rows.append(row)


def run_transfer(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone on one set after another, and prints the means."""
    wrong = [each for each in arguments.sets if len(each) > 2]
    if wrong:
        raise CommandError(f"Expected --set TRAIN [TEST]. Received: --set {' '.join(wrong[0])}.")
    arguments.fine_tune = None
    names, size, networks = _opened(arguments)
    with measured.table(arguments.csv) as rows:
        for place, *test in arguments.sets:
            print(place)
            places = place, *(test or [None])
            for row in _rows(arguments, places, names, size, networks):
                rows.append({"set": place, **row})
        print(f"means over {len(arguments.sets)} sets:")
        for key in dict.fromkeys((row["backbone"], row["evaluation"]) for row in rows):
            values = [row["value"] for row in rows if (row["backbone"], row["evaluation"]) == key]
            print(f"  {key[1]} {sum(values) / len(values):.3f}, {key[0]}, {len(values)} sets")


def _opened(
    arguments: argparse.Namespace,
) -> tuple[tuple[str, ...], int, dict[str, keras.Model]]:
    """Names of the evaluations, side of the photographs, and the networks, all checked."""
    names = tuple(dict.fromkeys(arguments.evaluations.split(",")))
    unknown = [name for name in names if name not in EVALUATORS]
    if unknown:
        raise CommandError(
            f"Expected --with as some of {','.join(EVALUATORS)}. Received: {','.join(unknown)}."
        )
    if "svm" in names:  # now, and not after all the others
        try:
            needed("sklearn.metrics", "scikit-learn")
        except ImportError as error:
            raise CommandError(str(error)) from error
    start = measured.start_of(arguments)
    size = size_for(start, arguments.image_size)
    return names, size, dict(measured.networks(arguments, backbone_of(start)))


def _rows(
    arguments: argparse.Namespace,
    places: tuple[str, str | None],
    names: Sequence[str],
    size: int,
    networks: dict[str, keras.Model],
) -> Iterator[dict[str, Any]]:
    """Prints what is measured on a set, and gives it as lines of a table."""
    questions = [photographs.mean_features(network) for network in networks.values()]
    if arguments.fine_tune is not None:
        questions.append(tuned.photographs)
    train, test = parts(*places, size, questions)
    print(f"{size}×{size} pixels, {len(train.labels) + len(test.labels)} photographs")
    settings = {"image_size": size, "seed": arguments.seed, "steps": None}
    for index, (what, network) in enumerate(networks.items()):
        print(f"{what}:")
        data = Labeled(train.answers[index], train.labels, test.answers[index], test.labels)
        for each in (found for name in names for found in _measured(data, name, arguments.seed)):
            yield measured.row(what, each, settings)
        if arguments.fine_tune is not None:
            learned, scored = ((part.answers[-1], part.labels) for part in (train, test))
            steps = arguments.fine_tune
            for each in tuned.measured(network, learned, scored, steps, arguments.seed):
                print(f"  {each}")
                yield measured.row(what, each, {**settings, "steps": steps})


def _measured(data: Labeled, name: str, seed: int) -> Iterator[Measured]:
    """What an evaluation finds, printed; if it cannot be, a sentence instead."""
    try:
        for each in evaluate(data, (name,), seed):
            print(f"  {each}")
            yield each
    except ValueError as error:  # too few photographs
        print(f"  {name}: left out. {error}")
