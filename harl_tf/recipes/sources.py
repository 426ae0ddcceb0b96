"""How a recipe records the sources of its lines."""


def cited(source: str, *names: str) -> dict[str, str]:
    """The same source for several lines.

    Args:
        source: Paper, script or file.
        *names: Names of lines, as ``Recipe.lines`` gives them.

    Returns:
        A part of ``Recipe.sources``.

    Example:
        >>> cited("appendix B", "epochs", "batch_size")
        {'epochs': 'appendix B', 'batch_size': 'appendix B'}
    """
    return dict.fromkeys(names, source)


HEADS = (
    "Batch normalization in the heads has Keras's constants, an epsilon of 0.001 and a momentum of "
    "0.99; the authors' are 1e-5 and 0.9."
)
ADDED_BRIGHTNESS = (
    "Brightness is a factor of 0.6 to 1.4, contrast is about the mean luminance, and hue is a "
    "rotation of YIQ; the authors' code adds up to 0.4 of the full range, takes the mean of each "
    "channel, and rotates HSV."
)
RATE_IN_MOMENTUM = (
    "The learning rate is within the momentum, as Keras has it; PyTorch multiplies by it "
    "afterwards, which differs while the rate changes."
)
"""What several recipes note."""
