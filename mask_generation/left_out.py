"""A photograph that was left out, and the reason.

Owns the pair of name and reason: conversion, training and previews pass it from worker processes to
their reports, and the manifest stores it. The callers decide why a photograph is left out.
"""

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
