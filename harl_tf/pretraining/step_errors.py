"""Checks inside a running step that fail with a sentence.

Owns the way from an operation in a graph to a ``ValueError``: TensorFlow reports a failed check as
an ``InvalidArgumentError`` with the names of its graph nodes, which says nothing to a user.
"""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

_MARK = "harl_tf: "
_NUMBER = re.compile(r"(?s)Received:[^\d-]*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?).*")


def expect(condition: tf.Tensor, sentence: str, received: tf.Tensor) -> tf.Operation:
    """An operation that fails if a condition does not hold.

    Args:
        condition: Scalar bool.
        sentence: What was expected and what to do.
        received: Scalar number to show after the sentence.

    Returns:
        The operation; make the step depend on it. XLA leaves it out.

    Example:
        >>> with plain_errors():
        ...     expect(tf.constant(3) < 2, "Expected a number below 2.", tf.constant(3))
        Traceback (most recent call last):
        ValueError: Expected a number below 2. Received: 3.
    """
    return tf.debugging.Assert(condition, [f"{_MARK}{sentence} Received:", received])


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turns a check that fails inside a running step into a one-sentence ``ValueError``.

    Example:
        >>> with plain_errors():
        ...     pass
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if _MARK not in error.message:
            raise
        # "... Received:] [255]" in a graph, "... Received:'\n255" eagerly. With several replicas,
        # each may report its own error; the first is enough.
        sentence = error.message.split(_MARK, 1)[1]
        raise ValueError(_NUMBER.sub(r"Received: \1.", sentence)) from None
