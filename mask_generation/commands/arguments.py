"""Kinds of arguments that several commands have."""

import argparse


def natural(text: str) -> int:
    """Reads a whole number from 1 on.

    Args:
        text: What was typed.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: If it is none.

    Example:
        >>> natural("12")
        12
    """
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, received {text}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, received {value}")
    return value
