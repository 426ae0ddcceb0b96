"""The colour augmentations that the methods were published with."""

from harl_tf.layers.random_color import RandomColour


def simclr_colour() -> RandomColour:
    """SimCLR's colour augmentation (Chen et al. 2020, appendix A, strength 1).

    Example:
        >>> simclr_colour().strengths["brightness"]
        0.8
    """
    return RandomColour(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)


def moco_colour() -> RandomColour:
    """That of MoCo v2 (Chen et al. 2020, arXiv 2003.04297), SimSiam and DenseCL.

    Example:
        >>> moco_colour().strengths["hue"]
        0.1
    """
    return RandomColour(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)


def byol_colours() -> tuple[RandomColour, RandomColour]:
    """Those of BYOL's two views (Grill et al. 2020, table 6), PixPro, DetCon and HARL.

    The first view is always blurred, the second hardly ever, and only the second is solarised.

    Example:
        >>> [colour.probabilities["solarize_probability"] for colour in byol_colours()]
        [0.0, 0.2]
    """
    return (
        RandomColour(blur_probability=1.0),
        RandomColour(blur_probability=0.1, solarize_probability=0.2),
    )
