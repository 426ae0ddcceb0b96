"""The crops and colors that several recipes share."""

from harl_tf.data import RandomResizedCrop
from harl_tf.layers import RandomColor, mild_color, moco_color, simclr_color

WIDE_CROPS = (RandomResizedCrop(area=(0.08, 1.0)), RandomResizedCrop(area=(0.08, 1.0)))
"""Crops of SimCLR, BYOL and their successors."""

FOREGROUND_CROPS = {
    percent: (RandomResizedCrop(area=(0.08, 1.0), minimum_foreground=percent / 100),) * 2
    for percent in (20, 30)
}
"""Crops of HARL and HAPiCLR, drawn up to five times until this % of the view is foreground."""

MOCO_CROPS = (RandomResizedCrop(area=(0.2, 1.0)), RandomResizedCrop(area=(0.2, 1.0)))
"""Crops of MoCo and its successors."""


def simclr_colors() -> tuple[RandomColor, RandomColor]:
    """SimCLR's colors for both views.

    Example:
        >>> simclr_colors()[1].strengths["hue"]
        0.2
    """
    return simclr_color(), simclr_color()


def moco_colors() -> tuple[RandomColor, RandomColor]:
    """MoCo v2's colors for both views.

    Example:
        >>> moco_colors()[1].strengths["hue"]
        0.1
    """
    return moco_color(), moco_color()


def mild_colors() -> tuple[RandomColor, RandomColor]:
    """The colors of the small recipes for both views.

    Example:
        >>> mild_colors()[1].probabilities["blur_probability"]
        0.0
    """
    return mild_color(), mild_color()
