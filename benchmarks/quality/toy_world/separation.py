"""How well a backbone separates the regions of a picture, measured on feature-map cells."""

import numpy as np

from harl_tf.losses import CellLabels


def separation(
    first: np.ndarray, second: np.ndarray, labels1: CellLabels, labels2: CellLabels
) -> float:
    """How much more similar cells of the same region are than cells of different regions.

    Args:
        first: ``(batch, cells, channels)``, cells of one view.
        second: The same of the other view.
        labels1: The regions of the first view's cells.
        labels2: The regions of the second view's cells.

    Returns:
        The mean cosine of pairs of cells of the same region in the two views of a picture, minus
        that of pairs of different regions, averaged over the pictures with both kinds of pairs.
    """
    unit1, unit2 = (
        each / np.maximum(np.linalg.norm(each, axis=-1, keepdims=True), 1e-12)
        for each in (first, second)
    )
    cosines = unit1 @ unit2.transpose(0, 2, 1)
    regions1, regions2 = labels1.regions.numpy(), labels2.regions.numpy()
    valid = labels1.valid.numpy()[:, :, None] & labels2.valid.numpy()[:, None, :]
    same = regions1[:, :, None] == regions2[:, None, :]
    differences = [
        cosine[alike].mean() - cosine[unlike].mean()
        for cosine, alike, unlike in zip(cosines, valid & same, valid & ~same, strict=True)
        if alike.any() and unlike.any()
    ]
    return float(np.mean(differences))
