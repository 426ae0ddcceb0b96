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
