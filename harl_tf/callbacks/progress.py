"""Is a training learning? A judgment of the metrics of its epochs, in words.

Owns the rules and the advice. A loss alone does not tell: those of methods that predict a moving
average fall to 0 when they collapse and rise while their features improve. So features speak first
(``knn_accuracy``, ``linear_accuracy``), then the spread of the embeddings, then the loss.
"""

import dataclasses
import enum
import math
from collections.abc import Mapping, Sequence

from harl_tf.callbacks.trend import WINDOW, Trend, trend
from harl_tf.evaluation.score import short

_FEATURES = {"knn_accuracy": "kNN", "linear_accuracy": "linear"}
_SPOKEN = {
    "loss": "loss",
    "embedding_std": "spread",
    "contrastive_accuracy": "contrastive accuracy",
    **_FEATURES,
    "effective_rank": "effective rank",
}
_EARLY = 8
"""Number of epochs below which the lack of a trend says nothing."""
_TOLD_APART = 0.05
"""Contrastive accuracy below which a view hardly recognizes the other one of its image."""
_COLLAPSED, _LOW = 0.1, 0.3
"""Spreads of the embeddings: one that no method has, and one that few have, none by halving it."""
_LOST = 0.8
"""Share of its peak below which a falling spread may be why the loss falls."""
_AT_REST = 0.02
"""Share of its peak below which a learning rate explains that nothing changes."""


class State(enum.Enum):
    """What a training does."""

    EARLY = "too early to say"
    LEARNING = "learning"
    NOT_LEARNING = "not learning"
    UNCHANGED = "no change"
    UNCLEAR = "unclear"
    WORSE = "getting worse"
    COLLAPSING = "collapsing"
    DIVERGED = "diverged"


@dataclasses.dataclass(frozen=True)
class Judgment:
    """What the metrics of a training say.

    Attributes:
        state: What it does.
        reason: The metrics that say so.
        advice: What to do; empty if there is nothing to do.

    Example:
        >>> print(Judgment(State.UNCHANGED, "loss 2.31", "stop here"))
        no change: loss 2.31; stop here
    """

    state: State
    reason: str
    advice: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.state.value}: {self.reason}" + (f"; {self.advice}" if self.advice else "")


def judge(history: Sequence[Mapping[str, float]], missing: int = 0) -> Judgment:
    """Judges a training by the metrics of its epochs.

    A change counts if noise alone would hardly ever make it (``harl_tf.callbacks.trend``).

    Args:
        history: Logs of every epoch so far, the latest last. Of these, if they are there, ``loss``,
            ``embedding_std``, ``contrastive_accuracy``, ``knn_accuracy``, ``linear_accuracy``,
            ``effective_rank`` and ``learning_rate`` are used.
        missing: Number of epochs before the first one of the history. Default: 0.

    Returns:
        The judgment.

    Raises:
        ValueError: If there are no epochs.

    Example:
        >>> losses = [3.21, 3.17, 3.14, 3.11, 3.08, 3.05]
        >>> print(judge([{"loss": loss, "embedding_std": 0.93} for loss in losses]))
        learning: loss 3.21 → 3.05, spread .93
    """
    if not history:
        raise ValueError("Expected the metrics of at least one epoch. Received: none.")
    broken = [name for name in _SPOKEN if not math.isfinite(history[-1].get(name, 0.0))]
    if broken:
        reason = f"{_SPOKEN[broken[0]]} is {history[-1][broken[0]]}"
        return Judgment(State.DIVERGED, reason, "lower the learning rate or warm it up for longer")
    # A probe's value stands in the logs until the next one.
    trends = {
        name: found
        for name in _SPOKEN
        if (found := trend(history, name, repeats=name in (*_FEATURES, "effective_rank")))
    }
    collapse = _collapse(history, trends)
    return collapse or _course(history, trends) or _standstill(history, trends, missing)


def _collapse(
    history: Sequence[Mapping[str, float]], trends: Mapping[str, Trend]
) -> Judgment | None:
    """Whether embeddings or features become one vector, or few dimensions."""
    advice = "lower the learning rate, warm it up for longer, or enlarge the batch"
    improving = any(trends[name].rises for name in _FEATURES if name in trends)
    if "embedding_std" in trends:
        spread, most = trends["embedding_std"], _most(history, "embedding_std")
        halved = spread.last < most / 2.0
        gone = spread.last < _COLLAPSED and len(history) > 1
        fell = spread.last < _LOW and halved and not improving
        if (gone or fell) and not spread.rises:
            change = f"fell from {short(most)} to" if halved else "is"
            reason = f"the spread of the embeddings {change} {short(spread.last)}"
            return Judgment(State.COLLAPSING, reason, advice)
    if "effective_rank" in trends:
        rank, most = trends["effective_rank"], _most(history, "effective_rank")
        if rank.falls and most > 2.0 * rank.last and not improving:
            reason = f"the effective rank of the features fell from {most:.1f} to {rank.last:.1f}"
            return Judgment(State.COLLAPSING, reason, advice)
    return None


def _course(history: Sequence[Mapping[str, float]], trends: Mapping[str, Trend]) -> Judgment | None:
    """Which way a training goes that has not collapsed; None if it does not move for certain."""
    reason = _in_words(trends)
    features = [trends[name] for name in _FEATURES if name in trends]
    loss, told_apart = trends.get("loss"), trends.get("contrastive_accuracy")
    if any(each.rises for each in features):
        return Judgment(State.LEARNING, reason)
    if any(each.falls for each in features):
        advice = "lower the learning rate"
        if loss and loss.falls:
            advice = "the loss falls without the features: strengthen the augmentations"
        return Judgment(State.WORSE, reason, advice)
    if told_apart and told_apart.rises:
        return Judgment(State.LEARNING, reason)
    if loss and loss.falls:
        spread = trends.get("embedding_std")
        if spread and spread.falls and spread.last < _LOST * _most(history, "embedding_std"):
            advice = "the loss may fall because all embeddings become alike: watch the spread"
            return Judgment(State.UNCLEAR, reason, advice)
        return Judgment(State.LEARNING, reason)
    if loss and loss.rises:
        if told_apart and told_apart.falls:
            return Judgment(State.WORSE, reason, "lower the learning rate")
        advice = "a loss against a moving average may rise at first; judge the features"
        return Judgment(State.UNCLEAR, reason, advice + ("" if features else " by a LabeledProbe"))
    return None


def _standstill(
    history: Sequence[Mapping[str, float]], trends: Mapping[str, Trend], missing: int
) -> Judgment:
    """What it means that nothing moves for certain."""
    reason = _in_words(trends)
    if len(history) < _EARLY:
        return Judgment(State.EARLY, reason)
    telling = ("loss", "contrastive_accuracy", *_FEATURES)
    if not all(trends[name].settled for name in telling if name in trends):
        return Judgment(State.UNCLEAR, reason, "noise may hide a trend: see some more epochs")
    reason += f" for {min(len(history), WINDOW)} epochs"
    rates = [row["learning_rate"] for row in history if "learning_rate" in row]
    if rates and rates[-1] < _AT_REST * max(rates):
        advice = "the learning rate has come down, so this is the result"
        return Judgment(State.UNCHANGED, reason, advice)
    told_apart = trends.get("contrastive_accuracy")
    if not missing and not _has_learned(history):
        state = State.UNCHANGED
        if told_apart and told_apart.last < _TOLD_APART:
            state = State.NOT_LEARNING
            reason += ", and the views of an image are not told from others"
        return Judgment(state, reason, "raise the learning rate threefold, or check the images")
    advice = "lower the learning rate, or stop here"
    if told_apart and told_apart.last > 0.95:
        advice = "the task is solved: strengthen the augmentations, or enlarge the batch"
    return Judgment(State.UNCHANGED, reason, advice)


def _has_learned(history: Sequence[Mapping[str, float]]) -> bool:
    """Whether each of the latest five epochs is better than each of the first three in a metric."""
    for name, sign in {
        "loss": -1,
        "contrastive_accuracy": 1,
        **dict.fromkeys(_FEATURES, 1),
    }.items():
        values = [sign * row[name] for row in history if name in row]
        if len(values) >= _EARLY and max(values[:3]) < min(values[-5:]):
            return True
    return False


def _most(history: Sequence[Mapping[str, float]], name: str) -> float:
    return max(row[name] for row in history if name in row)


def _in_words(trends: Mapping[str, Trend]) -> str:
    """Values that change with where they come from, others alone."""
    said = []
    for name, found in trends.items():
        write = _number if name in ("loss", "effective_rank") else short
        values = [write(found.first), write(found.last)]
        shown = values if found.direction and values[0] != values[1] else values[1:]
        said.append(f"{_SPOKEN[name]} {' → '.join(shown)}")
    return ", ".join(said)


def _number(value: float) -> str:
    """Three digits, and never fewer than the whole part has.

    Example:
        >>> _number(2.7), _number(0.0123), _number(123.4), _number(4567.8)
        ('2.70', '0.0123', '123', '4568')
    """
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"
