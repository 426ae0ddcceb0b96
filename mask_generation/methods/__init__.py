"""The label-free mask methods, by name.

Owns: the tables :data:`METHODS` and :data:`MODEL_METHODS`. A method takes one RGB image, uint8 of
shape (H, W, 3), and returns a ``ForegroundMask`` of the same height and width. It is deterministic,
and returns a saliency of zeros if nothing in the image stands out. Methods with settings are small
frozen classes; the table has one instance of each, with its default settings, under the name that
users pass as ``method``.

Does not own: the checks of the image and the judgment of the mask
(``mask_generation.foreground``).

Example:
    >>> "robust_background" in METHODS
    True
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mask_generation.methods.barrier import barrier_saliency
from mask_generation.methods.basnet import BASNet as BASNet
from mask_generation.methods.drfi import DRFI as DRFI
from mask_generation.methods.features import FeatureCut as FeatureCut
from mask_generation.methods.felzenszwalb import FelzenszwalbSaliency
from mask_generation.methods.fusion import Fusion as Fusion
from mask_generation.methods.geodesic import geodesic_saliency
from mask_generation.methods.manifold_ranking import manifold_ranking_saliency
from mask_generation.methods.region_contrast import region_contrast_saliency
from mask_generation.methods.robust_background import robust_background_saliency
from mask_generation.methods.thresholded import Thresholded as Thresholded
from mask_generation.result import ForegroundMask

MaskMethod = Callable[[NDArray[np.uint8]], ForegroundMask]
"""From RGB, ``(H, W, 3)`` uint8, to the mask of the same size."""

METHODS: dict[str, MaskMethod] = {
    "balanced": Fusion(),
    "barrier": Thresholded(barrier_saliency),
    "best": Fusion(cut_size=480),
    "cropped": Fusion(center_sigma=math.inf),
    "fast": Fusion(robust_background=0, geodesic=0, segments=0, cut_size=0),
    "felzenszwalb": Thresholded(FelzenszwalbSaliency()),
    "geodesic": Thresholded(geodesic_saliency),
    "manifold_ranking": Thresholded(manifold_ranking_saliency),
    "region_contrast": Thresholded(region_contrast_saliency),
    "robust_background": Thresholded(robust_background_saliency),
}
"""Every method that needs only the image: the fusion in three tiers and, as ``cropped``, for
pictures cropped to their object; and single maps."""

MODEL_METHODS: dict[str, Callable[[str], MaskMethod]] = {
    "basnet": BASNet,
    "drfi": DRFI,
    "features": FeatureCut,
}
"""Every method that needs a trained model, given as a path or the name of a KerasHub preset."""

DEFAULT = "balanced"
"""The default method."""


def named(name: str, model: str | None = None) -> MaskMethod:
    """The method with this name.

    Args:
        name: A key of ``METHODS``, or of ``MODEL_METHODS`` with a model.
        model: The trained model: a path, or the name of a KerasHub preset.

    Returns:
        The method.

    Raises:
        ValueError: If there is none, it needs a model, or takes none.
        ModelError: If the model is not there.

    Example:
        >>> named("robust_background").work_size
        160
        >>> named("features", "resnet_50_imagenet").cut
        'normalized_cut'
    """
    if name in MODEL_METHODS:
        if model is None:
            raise ValueError(
                f"Expected a model for the method {name!r}: its path, or a KerasHub preset. "
                "Received: none."
            )
        return MODEL_METHODS[name](model)
    if name not in METHODS:
        known = sorted([*METHODS, *MODEL_METHODS])
        raise ValueError(f"Expected method in {known}. Received: {name!r}.")
    if model is not None:
        raise ValueError(
            f"Expected no model for the method {name!r}; {sorted(MODEL_METHODS)} take one. "
            f"Received: {model!r}."
        )
    return METHODS[name]
