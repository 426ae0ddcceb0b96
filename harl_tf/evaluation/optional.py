"""Packages that only some evaluations need."""

import importlib
from typing import Any


def needed(module: str, package: str) -> Any:
    """A module of a package that is not installed with harl_tf.

    Args:
        module: What to import.
        package: The package it belongs to, for the message.

    Raises:
        ImportError: If it is not installed, saying how to install it.

    Example:
        >>> needed("no.such.module", "no-such")
        Traceback (most recent call last):
        ImportError: This needs no-such, which is not installed: pip install "harl_tf[evaluation]".
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f'This needs {package}, which is not installed: pip install "harl_tf[evaluation]".'
        ) from error
