"""Float64 NumPy reference of the cosine distance of BYOL and of the totals of HARL.

Written from the formulas alone, with explicit loops. Shapes: ``B`` images, ``D`` dimensions.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Bools, Floats, cosine


def cosine_distance(predictions: ArrayLike, targets: ArrayLike) -> Floats:
    """Return ``2 - 2 <p / |p|, t / |t|>`` for every pair of vectors (BYOL, 2020, eq. 2).

    Args:
        predictions: Shape (..., D).
        targets: Shape (..., D).

    Returns:
        Shape (...,), each value in [0, 4].
    """
    p = np.asarray(predictions, dtype=np.float64)
    t = np.asarray(targets, dtype=np.float64)
    distances = np.zeros(p.shape[:-1])
    for index in np.ndindex(p.shape[:-1]):
        distances[index] = 2.0 - 2.0 * cosine(p[index], t[index])
    return distances


@dataclasses.dataclass(frozen=True)
class HarlTotals:
    """The three terms of HARL and what can be made of them; floats."""

    whole: float
    foreground: float
    background: float
    mask: float
    hybrid: float
    foreground_hybrid: float


def region_term(
    predictions1: ArrayLike,
    predictions2: ArrayLike,
    targets1: ArrayLike,
    targets2: ArrayLike,
    present1: ArrayLike,
    present2: ArrayLike,
) -> float:
    """Return one region's symmetric term.

    With ``l(p, t) = 2 - 2 cos(p, t)`` and ``A`` the images whose region is present in both views::

        L_r = (1 / |A|) sum_{b in A} [ l(p1_b, t2_b) + l(p2_b, t1_b) ],   0 if A is empty

    Args:
        predictions1: Shape (B, D), of view 1.
        predictions2: Shape (B, D), of view 2.
        targets1: Shape (B, D), of view 1.
        targets2: Shape (B, D), of view 2.
        present1: Shape (B,), whether view 1 has the region.
        present2: Shape (B,), whether view 2 has it.

    Returns:
        The scalar term.
    """
    one_two = cosine_distance(predictions1, targets2)
    two_one = cosine_distance(predictions2, targets1)
    first: Bools = np.asarray(present1, dtype=np.bool_)
    second: Bools = np.asarray(present2, dtype=np.bool_)
    values: list[float] = []
    for b in range(first.shape[0]):
        if first[b] and second[b]:
            values.append(float(one_two[b]) + float(two_one[b]))
    return sum(values) / len(values) if values else 0.0


def harl(
    predictions1: ArrayLike,
    predictions2: ArrayLike,
    targets1: ArrayLike,
    targets2: ArrayLike,
    present1: ArrayLike,
    present2: ArrayLike,
    alpha: float,
    beta: float,
) -> HarlTotals:
    """Return HARL's terms and totals.

    Axis 1 holds whole, foreground, background, ``L_w, L_f, L_b`` as in `region_term`::

        mask              = alpha L_f + (1 - alpha) L_b
        hybrid            = beta L_w + (1 - beta) (alpha L_f + (1 - alpha) L_b)
        foreground_hybrid = beta L_w + (1 - beta) L_f

    Args:
        predictions1: Shape (B, 3, D), of view 1.
        predictions2: Shape (B, 3, D), of view 2.
        targets1: Shape (B, 3, D), of view 1.
        targets2: Shape (B, 3, D), of view 2.
        present1: Shape (B, 3), which regions view 1 has.
        present2: Shape (B, 3), which regions view 2 has.
        alpha: Weight of the foreground against the background, in [0, 1].
        beta: Weight of the whole image against its regions, in [0, 1].

    Returns:
        The terms and the totals.
    """
    vectors = [np.asarray(a) for a in (predictions1, predictions2, targets1, targets2)]
    presence = [np.asarray(a) for a in (present1, present2)]
    terms: list[float] = []
    for r in range(3):
        terms.append(region_term(*(v[:, r] for v in vectors), *(p[:, r] for p in presence)))
    whole, foreground, background = terms
    mask = alpha * foreground + (1.0 - alpha) * background
    return HarlTotals(
        whole=whole,
        foreground=foreground,
        background=background,
        mask=mask,
        hybrid=beta * whole + (1.0 - beta) * mask,
        foreground_hybrid=beta * whole + (1.0 - beta) * foreground,
    )
