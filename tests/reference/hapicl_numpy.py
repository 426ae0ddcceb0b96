"""Float64 NumPy reference of the HAPiCL pixel loss and of NT-Xent.

Written from the formula alone, with explicit loops, so that it can be read line by line against
the definition and used to check a faster implementation. Shapes: ``B`` images, ``N = h * w``
cells per view in row-major order, ``D`` embedding dimensions.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_NORM_FLOOR = 1e-12


def _normalize(vector: Floats) -> Floats:
    """Return ``v * max(sum_d v_d^2, 1e-12) ** -0.5`` for one vector of shape (D,)."""
    return vector * max(float(np.sum(vector * vector)), _NORM_FLOOR) ** -0.5


def _log_sum_exp(values: list[float]) -> float:
    """Return ``log sum_k exp(v_k) = m + log sum_k exp(v_k - m)``, ``m = max_k v_k``.

    ``values`` must hold at least one number.
    """
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))


def cell_labels(
    mask: ArrayLike, grid: tuple[int, int], margin: float = 0.0
) -> tuple[Floats, Bools, Bools]:
    """Label the cells of a grid from a binary mask.

    With ``R_i`` the pixels of cell ``i``::

        a_i  = (1 / |R_i|) * sum_{p in R_i} mask_p
        y_i  = 1[a_i >= 0.5]
        ok_i = 1[|a_i - 0.5| >= margin]

    Args:
        mask: Shape (B, H, W), values in {0, 1}.
        grid: The pair (h, w); h divides H and w divides W.
        margin: How far from one half the area mean has to be for the cell to be used.

    Returns:
        The area means ``a``, the labels ``y`` (True is foreground) and the flags ``ok``, each of
        shape (B, h * w); cell (r, c) has the index ``r * w + c``.

    Raises:
        ValueError: If the mask is not of rank 3 or the grid does not divide it.
    """
    pixels = np.asarray(mask, dtype=np.float64)
    if pixels.ndim != 3:
        raise ValueError(f"mask must have the shape (B, H, W), got {pixels.shape}")
    batch, height, width = pixels.shape
    rows, columns = grid
    if height % rows or width % columns:
        raise ValueError(f"grid {grid} does not divide the mask {height} x {width}")
    cell_height = height // rows
    cell_width = width // columns

    area = np.zeros((batch, rows * columns), dtype=np.float64)
    for b in range(batch):
        for r in range(rows):
            for c in range(columns):
                top = r * cell_height
                left = c * cell_width
                cell = pixels[b, top : top + cell_height, left : left + cell_width]
                area[b, r * columns + c] = np.sum(cell) / (cell_height * cell_width)
    return area, area >= 0.5, np.abs(area - 0.5) >= margin


def pixel_loss_one_way(
    u1: ArrayLike,
    u2: ArrayLike,
    y1: ArrayLike,
    y2: ArrayLike,
    ok1: ArrayLike,
    ok2: ArrayLike,
    temperature: float = 0.2,
    foreground_weight: float = 0.5,
) -> tuple[Floats, Bools]:
    """Contrast the cells of view 1 with the cells of view 2, per image.

    For one image, with ``n(u) = u * max(sum_d u_d^2, 1e-12) ** -0.5``::

        s_ij = <n(u1_i), n(u2_j)> / temperature
        P_i  = {j : ok2_j and y2_j == y1_i}
        Q_i  = {j : ok2_j and y2_j != y1_i}
        l_i  = log sum_{j in P_i u Q_i} exp(s_ij) - log sum_{j in P_i} exp(s_ij)

        A_r  = {i : ok1_i and y1_i == r and |P_i| >= 1 and |Q_i| >= 1},  r in {f, b}
        w_f  = foreground_weight,  w_b = 1 - foreground_weight
        L    = sum_{r : A_r not empty} w_r * mean_{i in A_r} l_i / sum_{r : A_r not empty} w_r

    An image without any counted anchor has ``L = 0`` and is not counted. The same holds when the
    weights of the regions present add up to 0 (say ``foreground_weight = 1`` and only background
    anchors counted).

    Args:
        u1: Raw embeddings of the anchors' view, shape (B, N, D).
        u2: Raw embeddings of the other view, shape (B, M, D); M is usually N.
        y1: Labels of view 1, True is foreground, shape (B, N).
        y2: Labels of view 2, shape (B, M).
        ok1: Which cells of view 1 may be anchors, shape (B, N).
        ok2: Which cells of view 2 may be positives or negatives, shape (B, M).
        temperature: Divides the cosine similarities.
        foreground_weight: Weight of the foreground anchors' mean, in [0, 1].

    Returns:
        The loss of each image, shape (B,), and whether the image is counted, shape (B,).
    """
    raw1 = np.asarray(u1, dtype=np.float64)
    raw2 = np.asarray(u2, dtype=np.float64)
    label1 = np.asarray(y1, dtype=np.bool_)
    label2 = np.asarray(y2, dtype=np.bool_)
    usable1 = np.asarray(ok1, dtype=np.bool_)
    usable2 = np.asarray(ok2, dtype=np.bool_)

    batch, cells1, _ = raw1.shape
    cells2 = raw2.shape[1]
    weight = {True: float(foreground_weight), False: 1.0 - float(foreground_weight)}

    per_image = np.zeros(batch, dtype=np.float64)
    counted = np.zeros(batch, dtype=np.bool_)
    for b in range(batch):
        keys = [_normalize(raw2[b, j]) for j in range(cells2)]
        losses: dict[bool, list[float]] = {True: [], False: []}
        for i in range(cells1):
            if not usable1[b, i]:
                continue
            anchor = _normalize(raw1[b, i])
            positives: list[float] = []
            negatives: list[float] = []
            for j in range(cells2):
                if not usable2[b, j]:
                    continue
                logit = float(np.sum(anchor * keys[j])) / temperature
                if label2[b, j] == label1[b, i]:
                    positives.append(logit)
                else:
                    negatives.append(logit)
            if len(positives) >= 1 and len(negatives) >= 1:
                loss = _log_sum_exp(positives + negatives) - _log_sum_exp(positives)
                losses[bool(label1[b, i])].append(loss)

        weighted_sum = 0.0
        weight_sum = 0.0
        for region in (True, False):
            if losses[region]:
                weighted_sum += weight[region] * sum(losses[region]) / len(losses[region])
                weight_sum += weight[region]
        if weight_sum > 0.0:
            per_image[b] = weighted_sum / weight_sum
            counted[b] = True
    return per_image, counted


def pixel_loss(
    u1: ArrayLike,
    u2: ArrayLike,
    y1: ArrayLike,
    y2: ArrayLike,
    ok1: ArrayLike,
    ok2: ArrayLike,
    temperature: float = 0.2,
    foreground_weight: float = 0.5,
) -> float:
    """Return the symmetric pixel loss of a batch.

    With ``L_b`` and ``c_b`` the loss and the counted flag that `pixel_loss_one_way` gives::

        L(1->2) = sum_b L_b / max(sum_b c_b, 1)
        loss    = (L(1->2) + L(2->1)) / 2

    Each direction has its own number of counted images.

    Args:
        u1: Raw embeddings of view 1, shape (B, N, D).
        u2: Raw embeddings of view 2, shape (B, N, D).
        y1: Labels of view 1, True is foreground, shape (B, N).
        y2: Labels of view 2, shape (B, N).
        ok1: Which cells of view 1 are used, shape (B, N).
        ok2: Which cells of view 2 are used, shape (B, N).
        temperature: Divides the cosine similarities.
        foreground_weight: Weight of the foreground anchors' mean, in [0, 1].

    Returns:
        The scalar loss.
    """
    directions: list[float] = []
    for arguments in ((u1, u2, y1, y2, ok1, ok2), (u2, u1, y2, y1, ok2, ok1)):
        per_image, counted = pixel_loss_one_way(*arguments, temperature, foreground_weight)
        directions.append(float(np.sum(per_image)) / max(int(np.sum(counted)), 1))
    return (directions[0] + directions[1]) / 2.0


def nt_xent(z1: ArrayLike, z2: ArrayLike, temperature: float = 0.2) -> float:
    """Return the NT-Xent loss of SimCLR over the 2B embeddings of two views.

    With ``z = [z1; z2]`` of shape (2B, D), ``p(k) = (k + B) mod 2B`` the partner of row ``k`` and
    ``n(z) = z * max(sum_d z_d^2, 1e-12) ** -0.5``::

        s_km = <n(z_k), n(z_m)> / temperature
        l_k  = log sum_{m != k} exp(s_km) - s_{k p(k)}
        loss = (1 / 2B) * sum_k l_k

    Args:
        z1: Raw embeddings of view 1, shape (B, D).
        z2: Raw embeddings of view 2, shape (B, D); row b belongs to row b of ``z1``.
        temperature: Divides the cosine similarities.

    Returns:
        The scalar loss.
    """
    raw = np.concatenate([np.asarray(z1, dtype=np.float64), np.asarray(z2, dtype=np.float64)])
    total = raw.shape[0]
    batch = total // 2
    rows = [_normalize(raw[k]) for k in range(total)]

    loss = 0.0
    for k in range(total):
        partner = (k + batch) % total
        logits: list[float] = []
        for m in range(total):
            if m != k:
                logits.append(float(np.sum(rows[k] * rows[m])) / temperature)
        loss += _log_sum_exp(logits) - float(np.sum(rows[k] * rows[partner])) / temperature
    return loss / total


def numeric_gradient(f: Callable[[Floats], float], x: ArrayLike, eps: float = 1e-6) -> Floats:
    """Return the gradient of a scalar function by central differences.

    With ``e_k`` the unit array of element ``k``::

        g_k = (f(x + eps * e_k) - f(x - eps * e_k)) / (2 * eps)

    Args:
        f: Takes a float64 array of the shape of ``x``, returns a scalar.
        x: Where to differentiate, any shape; left unchanged.
        eps: The step.

    Returns:
        The gradient, of the shape of ``x``.
    """
    point = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        above = point.copy()
        below = point.copy()
        above[index] += eps
        below[index] -= eps
        gradient[index] = (float(f(above)) - float(f(below))) / (2.0 * eps)
    return gradient
