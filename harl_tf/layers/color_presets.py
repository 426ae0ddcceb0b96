"""The published color augmentations of the methods."""

from harl_tf.layers.random_color import RandomColor


def simclr_color() -> RandomColor:
    """SimCLR's color augmentation (Chen et al. 2020, appendix A, strength 1).

    Example:
        >>> simclr_color().strengths["brightness"]
        0.8
    """
    return RandomColor(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)


def moco_color() -> RandomColor:
    """Color augmentation of MoCo v2 (Chen et al. 2020, arXiv 2003.04297), SimSiam and DenseCL.

    Example:
        >>> moco_color().strengths["hue"]
        0.1
    """
    return RandomColor(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)


def mild_color() -> RandomColor:
    """Colors for views of small images and for short runs: MoCo's jitter, less hue and no blur.

    A blur of up to two pixels, made for views of 224, leaves little of one of 48. Ours, settled by
    ``benchmarks/quality/learning/variations.py``.

    Example:
        >>> mild_color().probabilities["blur_probability"]
        0.0
    """
    return RandomColor(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.02, blur_probability=0.0)


def byol_colors() -> tuple[RandomColor, RandomColor]:
    """Color augmentations of BYOL's two views (Grill et al. 2020, table 6), PixPro, DetCon, HARL.

    The first view is always blurred, the second hardly ever, and only the second is solarized.

    Example:
        >>> [color.probabilities["solarize_probability"] for color in byol_colors()]
        [0.0, 0.2]
    """
    return (
        RandomColor(blur_probability=1.0),
        RandomColor(blur_probability=0.1, solarize_probability=0.2),
    )
