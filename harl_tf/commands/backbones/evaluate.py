"""``python -m harl_tf evaluate``: what a backbone's frozen features are worth.

Owns the split. The measures are ``harl_tf.evaluation``'s.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from harl_tf.commands.backbones import measured, photographs
from harl_tf.commands.backbones.classify import question
from harl_tf.commands.opening import backbone_of, opened, size_for
from harl_tf.commands.refusal import CommandError
from harl_tf.data import in_first_half
from harl_tf.evaluation import EVALUATORS, Labeled, Measured, evaluate


def run(arguments: argparse.Namespace) -> None:
    """Evaluates the backbone and prints, and perhaps writes, what was measured."""
    names = tuple(arguments.evaluations.split(","))
    unknown = [name for name in names if name not in EVALUATORS]
    if unknown:
        raise CommandError(
            f"Expected --with as some of {','.join(EVALUATORS)}. Received: {','.join(unknown)}."
        )
    if arguments.csv is not None:
        photographs.check_file(arguments.csv)
    start = opened(arguments.backbone, arguments.from_values)
    size = size_for(start, arguments.image_size)
    networks = dict(measured.networks(arguments, backbone_of(start)))
    sets = _sets(arguments, size, [question(network) for network in networks.values()])
    print(f"{size}×{size} pixels, {sum(len(labels) for _, labels in sets)} photographs")
    settings = {"image_size": size, "seed": arguments.seed}
    rows = []
    for index, what in enumerate(networks):
        print(f"{what}:")
        data = Labeled(*(part for vectors, labels in sets for part in (vectors[index], labels)))
        for name in names:
            for each in _measured(data, name, arguments.seed):
                print(f"  {each}")
                rows.append(measured.row(what, each, settings))
    measured.write(arguments.csv, rows)


def _measured(data: Labeled, name: str, seed: int) -> list[Measured]:
    """What an evaluation finds; if the photographs are too few for it, nothing and a sentence."""
    try:
        return evaluate(data, (name,), seed)
    except ValueError as error:
        print(f"  {name}: left out. {error}")
        return []


def _sets(
    arguments: argparse.Namespace, size: int, questions: Sequence[photographs.Asked]
) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """Vectors of each network, and labels: to learn from, and to score."""
    train = photographs.look(arguments.folder, size, questions)
    photographs.check_classes(train, arguments.folder)
    if arguments.test is None:
        first = in_first_half(np.array(train.names)).numpy()
        if first.all() or not first.any():
            raise CommandError(f"{arguments.folder} has too few photographs for two halves.")
        return [
            ([vectors[half] for vectors in train.answers], train.labels[half])
            for half in (first, ~first)
        ]
    test = photographs.look(arguments.test, size, questions)
    photographs.check_classes(test, arguments.test)
    if test.classes != train.classes:
        raise CommandError(
            f"Expected the class folders of {arguments.folder} in {arguments.test}, too. "
            f"Received: {_some(test.classes)} instead of {_some(train.classes)}."
        )
    return [(each.answers, each.labels) for each in (train, test)]


def _some(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:5]) + (", …" if len(classes) > 5 else "")
