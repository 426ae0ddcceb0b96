"""Verdicts on made-up histories and on recorded ones.

The recorded ones are of ``benchmarks/quality/toy_world``, 16 epochs on 600 pictures with AdamW.
"""

import csv
import pathlib

import numpy as np
import pytest

from harl_tf.callbacks import State, judge

PIXPRO = {
    "loss": "2.120 .844 .545 .503 .488 .558 .615 .667 .711 .764 .781 .839 .833 .871 .870 .892",
    "embedding_std": ".373 .285 .298 .325 .366 .407 .426 .457 .459 .467 .474 .472 .483 .480 .478 "
    ".480",
    "contrastive_accuracy": ".097 .076 .095 .095 .113 .104 .118 .115 .158 .156 .192 .161 .179 .192 "
    ".215 .186",
    "knn_accuracy": ".447 .513 .497 .493 .477 .497 .553 .560 .570 .607 .650 .603 .587 .610 .623 "
    ".623",
}
BYOL = {
    "loss": "2.441 1.966 1.806 1.728 1.603 1.594 1.471 1.439 1.319 1.274 1.147 1.223 1.067 1.091 "
    "1.022 1.051",
    "embedding_std": ".817 .819 .826 .832 .854 .847 .852 .851 .842 .838 .835 .841 .841 .844 .845 "
    ".847",
    "contrastive_accuracy": ".111 .083 .101 .111 .113 .141 .140 .142 .185 .198 .201 .176 .189 .204 "
    ".221 .225",
}
TROUBLE = {State.WORSE, State.COLLAPSING, State.DIVERGED, State.NOT_LEARNING}


def rows(**columns):
    """Histories from columns of numbers, or of text."""
    values = [
        list(map(float, column.split() if isinstance(column, str) else column))
        for column in columns.values()
    ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def states(history):
    """What was said after every epoch."""
    return [judge(history[: count + 1]).state for count in range(len(history))]


def wiggle(count, size, seed=0):
    return size * np.random.default_rng(seed).normal(size=count)


def test_falling_loss_is_learning():
    history = rows(loss=[3.21, 3.17, 3.14, 3.11, 3.08, 3.05], embedding_std=[0.93] * 6)
    assert str(judge(history)) == "learning: loss 3.21 → 3.05, spread .93"


def test_few_epochs_are_too_early():
    said = judge(rows(loss=[3.2, 3.0], embedding_std=[0.9, 0.91]))
    assert str(said) == "too early to say: loss 3.00, spread .91"
    assert states(rows(loss=3 + wiggle(7, 0.1))) == [State.EARLY] * 7


def test_loss_that_falls_because_all_embeddings_become_one_is_a_collapse():
    """As BYOL's would: near 0, with nothing left of the spread; said when it falls below .3."""
    history = rows(
        loss=[1.9, 0.9, 0.4, 0.1, 0.05, 0.02, 0.01],
        embedding_std=[0.9, 0.7, 0.5, 0.28, 0.12, 0.08, 0.05],
    )
    assert states(history)[3:] == [State.COLLAPSING] * 4
    assert State.LEARNING not in states(history)
    assert str(judge(history[:5])).startswith(
        "collapsing: the spread of the embeddings fell from .90 to .12; lower the learning rate"
    )


def test_loss_that_falls_with_the_spread_is_not_called_learning():
    """From .70 to .45 in ten epochs, not a collapse yet."""
    history = rows(loss=np.linspace(4, 3, 10), embedding_std=np.linspace(0.7, 0.45, 10))
    assert judge(history).state is State.UNCLEAR
    assert "watch the spread" in judge(history).advice


@pytest.mark.parametrize("probe", [True, False])
def test_loss_that_rises_while_features_improve_is_never_called_bad(probe):
    """PixPro: the loss falls for five epochs and then rises from .49 to .89; spread from .28."""
    columns = {name: text for name, text in PIXPRO.items() if probe or name != "knn_accuracy"}
    found = states(rows(**columns))
    assert not set(found) & (TROUBLE | {State.UNCHANGED})
    assert found[10:] == [State.LEARNING] * 6


def test_rising_loss_without_any_other_sign_is_unclear():
    history = rows(loss=np.linspace(0.5, 1.0, 10), embedding_std=0.8 + wiggle(10, 0.01))
    assert judge(history).state is State.UNCLEAR
    assert judge(history).advice.endswith("judge the features by a LabeledProbe")


def test_recorded_byol_is_learning_from_the_sixth_epoch():
    assert states(rows(**BYOL)) == [State.EARLY] * 5 + [State.LEARNING] * 11


def test_recorded_run_on_caltech_is_learning():
    """HAPiCL, 40 epochs of an hour: losses 4.87 to 2.09; from the sixth on every epoch says so."""
    path = pathlib.Path(__file__).with_name("recorded_run.csv")
    with path.open() as file:
        table = list(csv.DictReader(file))[1:]
    names = ("loss", "embedding_std", "knn_accuracy")
    history = [{name: float(row[name]) for name in names} for row in table]
    assert states(history)[5:] == [State.LEARNING] * (len(history) - 5)


@pytest.mark.parametrize("seed", range(3))
def test_noise_around_a_constant_is_neither_learning_nor_trouble(seed):
    history = rows(
        loss=2 + wiggle(30, 0.02, seed),
        embedding_std=0.9 + wiggle(30, 0.01, seed + 10),
        contrastive_accuracy=0.3 + wiggle(30, 0.02, seed + 20),
        knn_accuracy=0.4 + wiggle(30, 0.03, seed + 30),
    )
    found = states(history)
    assert not set(found) & (TROUBLE | {State.LEARNING})
    assert found.count(State.UNCHANGED) > 15


def test_contrastive_loss_of_chance_is_not_learning():
    """Log(2·32 - 1) = 4.143: every other view is as likely."""
    history = rows(
        loss=np.log(63) + wiggle(12, 0.002),
        contrastive_accuracy=np.abs(wiggle(12, 0.01, 1)),
        embedding_std=0.8 + wiggle(12, 0.01, 2),
    )
    said = judge(history)
    assert said.state is State.NOT_LEARNING
    assert said.reason.startswith("loss 4.14, spread .8")
    assert "raise the learning rate" in said.advice
    assert states(history)[:7] == [State.EARLY] * 7


def test_improving_features_with_a_constant_loss_are_learning():
    history = rows(loss=2 + wiggle(10, 0.02), knn_accuracy=0.3 + 0.02 * np.arange(10))
    assert judge(history).state is State.LEARNING
    assert "kNN .30 → .48" in judge(history).reason


@pytest.mark.parametrize(
    ("loss", "advice"), [(2.0, "lower the learning rate"), (-0.1, "strengthen the augmentations")]
)
def test_features_that_get_worse_are_trouble_whatever_the_loss(loss, advice):
    """A constant loss, or one that falls by 0.1 an epoch."""
    losses = 2 + 0.1 * np.abs(wiggle(10, 0.1)) if loss > 0 else 3 + loss * np.arange(10)
    said = judge(rows(loss=losses, linear_accuracy=0.6 - 0.02 * np.arange(10)))
    assert said.state is State.WORSE
    assert advice in said.advice


@pytest.mark.parametrize(
    ("further", "advice"),
    [
        ({}, "lower the learning rate, or stop here"),
        ({"contrastive_accuracy": [0.2] * 4 + [0.99] * 12}, "the task is solved"),
        ({"learning_rate": [0.1] * 6 + [1e-4] * 10}, "so this is the result"),
    ],
    ids=["plateau", "solved", "end_of_schedule"],
)
def test_plateau_after_learning(further, advice):
    """Four epochs of learning, twelve of noise."""
    loss = [4.0, 3.4, 3.1, 2.9, *(2.5 + wiggle(12, 0.02))]
    said = judge(rows(loss=loss, embedding_std=[0.9] * 16, **further))
    assert said.state is State.UNCHANGED
    assert "for 10 epochs" in said.reason
    assert advice in said.advice


def test_plateau_of_which_the_learning_was_not_seen_is_not_called_not_learning():
    history = rows(loss=2 + wiggle(10, 0.02), contrastive_accuracy=[0.01] * 10)
    assert judge(history).state is State.NOT_LEARNING
    assert judge(history, missing=50).state is State.UNCHANGED


def test_rank_that_falls_by_half_is_a_collapse_of_the_features():
    """Spread and loss do not show it."""
    columns = {"loss": np.linspace(3, 2, 8), "embedding_std": [0.9] * 8}
    ranks = [40, 36, 32, 28, 24, 20, 16, 12]
    said = judge(rows(**columns, effective_rank=ranks))
    assert said.state is State.COLLAPSING
    assert "rank of the features fell from 40.0 to 12.0" in said.reason
    better = judge(rows(**columns, effective_rank=ranks, knn_accuracy=0.3 + 0.02 * np.arange(8)))
    assert better.state is State.LEARNING


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_loss_that_is_no_number_has_diverged(value):
    said = judge(rows(loss=[3.0, 2.0, value]))
    assert str(said).startswith(f"diverged: loss is {value}; lower the learning rate")


def test_metrics_of_another_kind_are_passed_over():
    assert judge([{"anything": 1.0}]).state is State.EARLY


def test_no_epochs():
    with pytest.raises(ValueError, match=r"at least one epoch. Received: none"):
        judge([])
