"""Float64 NumPy reference of the loss of DetCon-B between averages of regions.

Written from Hénaff et al., Efficient Visual Pretraining with Contrastive Detection, 2021, section
3.1, eq. 3, with what the released code adds to it (github.com/google-deepmind/detcon, commit
7ead4e1, ``utils/losses.py``, ``byol_nce_detcon`` with its defaults): the weights of repeated
regions, regions that the other view lacks, and which targets an anchor does not see. Shapes: ``B``
images, ``M`` sampled regions per view, ``D`` dimensions.
"""

import numpy as np
from numpy.typing import ArrayLike

from tests.reference.vectors_numpy import Floats, cosine, log_sum_exp


def region_contrast(
    predictions1: ArrayLike,
    predictions2: ArrayLike,
    targets1: ArrayLike,
    targets2: ArrayLike,
    ids1: ArrayLike,
    ids2: ArrayLike,
    temperature: float = 0.1,
) -> Floats:
    """Tell every region's own average in the other view from all other averages, per image.

    For anchor ``m`` of image ``b`` in view 1 (the other direction exchanges the views), with
    ``s = cos / temperature`` and ``id1, id2`` the region ids::

        P  = {(b, n) of view 2 : id2_bn == id1_bm}                         positives
        C  = {(c, n) of view 2}  u  {(c, n) of view 1 : c != b or id1_cn != id1_bm}
        l  = (1 / |P|) sum_P ( log sum_C e^s - s )
        w  = 1 / #{n : id1_bn == id1_bm}   if P is not empty, else 0

        L_b = (1 / M) sum_m w l  +  the same with the views exchanged

    The released loss is the mean of ``L_b`` over the images. The anchor's own target is not among
    the candidates, nor are those of its region sampled again; every positive is.

    Args:
        predictions1: Shape (B, M, D), of view 1.
        predictions2: Shape (B, M, D), of view 2.
        targets1: Shape (B, M, D), of view 1.
        targets2: Shape (B, M, D), of view 2.
        ids1: Shape (B, M), which region of its image each vector of view 1 is.
        ids2: Shape (B, M), of view 2.
        temperature: Divides the cosine similarities.

    Returns:
        The loss of each image, shape (B,).
    """
    predictions = [np.asarray(p, dtype=np.float64) for p in (predictions1, predictions2)]
    targets = [np.asarray(t, dtype=np.float64) for t in (targets1, targets2)]
    ids = [np.asarray(i, dtype=np.int64) for i in (ids1, ids2)]
    batch, regions, _ = predictions[0].shape
    losses = np.zeros(batch)
    for own, other in ((0, 1), (1, 0)):
        for b in range(batch):
            for m in range(regions):
                anchor = predictions[own][b, m]
                name = ids[own][b, m]
                positives: list[float] = []
                candidates: list[float] = []
                for c in range(batch):
                    for n in range(regions):
                        logit = cosine(anchor, targets[other][c, n]) / temperature
                        candidates.append(logit)
                        if c == b and ids[other][c, n] == name:
                            positives.append(logit)
                for c in range(batch):
                    for n in range(regions):
                        if c == b and ids[own][c, n] == name:
                            continue
                        candidates.append(cosine(anchor, targets[own][c, n]) / temperature)
                if not positives:
                    continue
                repeats = 0
                for n in range(regions):
                    if ids[own][b, n] == name:
                        repeats += 1
                normalizer = log_sum_exp(candidates)
                cross_entropy = sum(normalizer - s for s in positives) / len(positives)
                losses[b] += cross_entropy / repeats / regions
    return losses
