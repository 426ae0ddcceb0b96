"""A photograph that was left out, and the reason.

Owns the pair of name and reason: conversion, training and previews pass it from worker processes to
their reports, and the manifest stores it. The callers decide why a photograph is left out.
"""

import collections
import re
from collections.abc import Iterable
from typing import NamedTuple


class LeftOut(NamedTuple):
    """A photograph that is left out, and why.

    Attributes:
        name: Its name, a path relative to its folder.
        reason: A few words without a period.

    Example:
        >>> name, reason = LeftOut("cats/a.jpg", "empty file")
        >>> reason
        'empty file'
    """

    name: str
    reason: str


def by_reason(left_out: Iterable[tuple[str, str]]) -> dict[str, int]:
    """How many photographs were left out for what reason, the most frequent one first.

    Numbers, and what stands in brackets, differ from photograph to photograph and are not told
    apart.

    Args:
        left_out: Names and reasons.

    Example:
        >>> by_reason([("a", "empty file"), ("b", "took 3 s"), ("c", "took 4 s (of 2)")])
        {'took … s': 2, 'empty file': 1}
    """
    counts = collections.Counter(
        re.sub(r"\d[\d.,×]*", "…", re.sub(r" *\(.*?\)", "", reason)) for _, reason in left_out
    )
    return dict(counts.most_common())
