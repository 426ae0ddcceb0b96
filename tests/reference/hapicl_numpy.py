"""Float64 NumPy reference of HAPiCL's pixel loss with its options, and of both released reductions.

Written from the formulas alone, with explicit loops. Shapes: ``B`` images, ``N`` anchors, ``M``
keys, ``P`` prototypes, ``D`` dimensions. Region 0 is the background, every other one is foreground.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Bools, Floats, cosine, log_sum_exp, normalize


def pixel_contrast(
    queries: ArrayLike,
    keys: ArrayLike,
    query_regions: ArrayLike,
    key_regions: ArrayLike,
    query_valid: ArrayLike | None = None,
    key_valid: ArrayLike | None = None,
    temperature: float = 0.2,
    foreground_weight: float = 0.5,
    near: ArrayLike | None = None,
    prototypes: ArrayLike | None = None,
    prototype_is_negative: ArrayLike | None = None,
) -> tuple[Floats, Bools]:
    """Contrast the cells of view 1 with the cells of view 2, per image.

    For one image, with ``s_ij = cos(u_i, v_j) / temperature``, ``t_ip = cos(u_i, c_p) /
    temperature`` and ``g_ij`` whether cell ``j`` is near cell ``i`` (all True without a gate)::

        P_i = {j : ok_j and y_j == y_i and g_ij}
        Q_i = {j : ok_j and y_j != y_i}
        X_i = {p : prototype p is a negative of this image}  if y_i >= 1, else {}
        l_i = log( sum_{P_i u Q_i} e^{s_ij} + sum_{X_i} e^{t_ip} ) - log sum_{P_i} e^{s_ij}

        A_r = {i : ok_i and y_i == r and |P_i| >= 1 and |Q_i u X_i| >= 1}
        R   = {r >= 1 : A_r not empty}
        w_0 = 1 - foreground_weight if A_0 is not empty, else 0
        w_r = foreground_weight / |R|  for r in R
        L   = sum_r w_r mean_{i in A_r} l_i / sum_r w_r

    An image with ``sum_r w_r = 0`` has ``L = 0`` and is not counted.

    Args:
        queries: Shape (B, N, D).
        keys: Shape (B, M, D).
        query_regions: Shape (B, N), ids from 0.
        key_regions: Shape (B, M), ids from 0.
        query_valid: Shape (B, N), or None for all.
        key_valid: Shape (B, M), or None for all.
        temperature: Divides the cosine similarities.
        foreground_weight: Weight of all foreground regions together, in [0, 1].
        near: Shape (B, N, M), or None for no gate.
        prototypes: Shape (P, D), or None.
        prototype_is_negative: Shape (B, P), which prototypes are negatives of which image.

    Returns:
        The loss of each image, shape (B,), and whether the image is counted, shape (B,).
    """
    u = np.asarray(queries, dtype=np.float64)
    v = np.asarray(keys, dtype=np.float64)
    y1 = np.asarray(query_regions, dtype=np.int64)
    y2 = np.asarray(key_regions, dtype=np.int64)
    ok1 = np.ones(y1.shape, np.bool_) if query_valid is None else np.asarray(query_valid, np.bool_)
    ok2 = np.ones(y2.shape, np.bool_) if key_valid is None else np.asarray(key_valid, np.bool_)
    gate = None if near is None else np.asarray(near, dtype=np.bool_)
    centers = None if prototypes is None else np.asarray(prototypes, dtype=np.float64)
    strangers = np.asarray(False if centers is None else prototype_is_negative, dtype=np.bool_)

    batch, cells1, _ = u.shape
    losses = np.zeros(batch)
    counted = np.zeros(batch, dtype=np.bool_)
    for b in range(batch):
        of_region: dict[int, list[float]] = {}
        for i in range(cells1):
            if not ok1[b, i]:
                continue
            region = int(y1[b, i])
            positives: list[float] = []
            negatives: list[float] = []
            for j in range(v.shape[1]):
                if not ok2[b, j]:
                    continue
                logit = cosine(u[b, i], v[b, j]) / temperature
                if int(y2[b, j]) != region:
                    negatives.append(logit)
                elif gate is None or gate[b, i, j]:
                    positives.append(logit)
            if centers is not None and region >= 1:
                for p in range(centers.shape[0]):
                    if strangers[b, p]:
                        negatives.append(cosine(u[b, i], centers[p]) / temperature)
            if len(positives) >= 1 and len(negatives) >= 1:
                loss = log_sum_exp(positives + negatives) - log_sum_exp(positives)
                of_region.setdefault(region, []).append(loss)

        foregrounds = [region for region in of_region if region >= 1]
        weighted_sum = 0.0
        weight_sum = 0.0
        for region, values in of_region.items():
            if region == 0:
                weight = 1.0 - foreground_weight
            else:
                weight = foreground_weight / len(foregrounds)
            weighted_sum += weight * sum(values) / len(values)
            weight_sum += weight
        if weight_sum > 0.0:
            losses[b] = weighted_sum / weight_sum
            counted[b] = True
    return losses, counted


def foreground_prototypes(
    keys: ArrayLike, key_regions: ArrayLike, key_valid: ArrayLike | None = None
) -> tuple[Floats, Bools, Bools]:
    """Average every image's foreground keys and say whose negatives the averages are.

    With ``n(v) = v / |v|`` and ``F_b`` the valid cells of image ``b`` whose region is not 0::

        c_b           = n( (1 / |F_b|) sum_{j in F_b} n(v_bj) ),   zero if F_b is empty
        present_b     = |F_b| >= 1
        negative_{ab} = present_b and a != b

    Args:
        keys: Shape (B, M, D).
        key_regions: Shape (B, M), ids from 0.
        key_valid: Shape (B, M), or None for all.

    Returns:
        The prototypes (B, D), whether image b has one (B,), and whether prototype b is a negative
        of image a (B, B).
    """
    v = np.asarray(keys, dtype=np.float64)
    y = np.asarray(key_regions, dtype=np.int64)
    ok = np.ones(y.shape, np.bool_) if key_valid is None else np.asarray(key_valid, np.bool_)
    batch, cells, dimensions = v.shape
    vectors = np.zeros((batch, dimensions))
    present = np.zeros(batch, dtype=np.bool_)
    for b in range(batch):
        members = [normalize(v[b, j]) for j in range(cells) if ok[b, j] and y[b, j] >= 1]
        if members:
            vectors[b] = normalize(sum(members, np.zeros(dimensions)) / len(members))
            present[b] = True
    negative = np.zeros((batch, batch), dtype=np.bool_)
    for a in range(batch):
        for b in range(batch):
            negative[a, b] = present[b] and a != b
    return vectors, present, negative


def _sums(
    queries: ArrayLike,
    keys: ArrayLike,
    query_regions: ArrayLike,
    key_regions: ArrayLike,
    temperature: float,
) -> list[tuple[float, float]]:
    """Return ``(P_b, Q_b)`` per image: e^s over pairs of the same and of different regions."""
    u = np.asarray(queries, dtype=np.float64)
    v = np.asarray(keys, dtype=np.float64)
    y1 = np.asarray(query_regions, dtype=np.int64)
    y2 = np.asarray(key_regions, dtype=np.int64)
    sums: list[tuple[float, float]] = []
    for b in range(u.shape[0]):
        same = 0.0
        different = 0.0
        for i in range(u.shape[1]):
            for j in range(v.shape[1]):
                term = math.exp(cosine(u[b, i], v[b, j]) / temperature)
                if y1[b, i] == y2[b, j]:
                    same += term
                else:
                    different += term
        sums.append((same, different))
    return sums


def pixel_contrast_per_image(
    queries: ArrayLike,
    keys: ArrayLike,
    query_regions: ArrayLike,
    key_regions: ArrayLike,
    temperature: float = 0.2,
) -> Floats:
    """Return ``-log( (P_b + 1) / (P_b + Q_b + 2) )`` per image, HAPiCLR's pixel loss.

    ``P_b`` sums ``exp(cos(u_i, v_j) / temperature)`` over the image's pairs of equal region,
    ``Q_b`` over its pairs of different regions.

    Args:
        queries: Shape (B, N, D).
        keys: Shape (B, M, D).
        query_regions: Shape (B, N).
        key_regions: Shape (B, M).
        temperature: Divides the cosine similarities.

    Returns:
        The losses, shape (B,).
    """
    losses: list[float] = []
    for same, different in _sums(queries, keys, query_regions, key_regions, temperature):
        losses.append(-math.log((same + 1.0) / (same + different + 2.0)))
    return np.array(losses)


def pixel_contrast_per_batch(
    queries: ArrayLike,
    keys: ArrayLike,
    query_regions: ArrayLike,
    key_regions: ArrayLike,
    temperature: float = 0.2,
) -> Floats:
    """Return ``-log( (P_b + 1e-5) / sum_c (P_c + Q_c) )`` per image, the sum over all images.

    Args:
        queries: Shape (B, N, D).
        keys: Shape (B, M, D).
        query_regions: Shape (B, N).
        key_regions: Shape (B, M).
        temperature: Divides the cosine similarities.

    Returns:
        The losses, shape (B,); an image's loss depends on all images.
    """
    sums = _sums(queries, keys, query_regions, key_regions, temperature)
    everything = 0.0
    for same, different in sums:
        everything += same + different
    return np.array([-math.log((same + 1e-5) / everything) for same, _ in sums])
