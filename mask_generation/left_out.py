"""What is said of a photograph that is left out, wherever it is left out.

Owns the pair of name and reason: conversion, training and previews hand it from worker processes to
their reports, and a manifest holds it as it is. Why a photograph is left out is decided by those
who leave it out.
"""

from typing import NamedTuple


class LeftOut(NamedTuple):
    """A photograph that is left out, and why.

    Attributes:
        name: Its name, a path relative to its folder.
        reason: A few words without a full stop.

    Example:
        >>> name, reason = LeftOut("cats/a.jpg", "empty file")
        >>> reason
        'empty file'
    """

    name: str
    reason: str
