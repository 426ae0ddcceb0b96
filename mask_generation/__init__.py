"""Photographs in, TFRecords of image and foreground mask out; no labels, no trained weights.

``foreground_mask`` is light: it needs neither TensorFlow nor ``harl_tf``. What writes and reads
records is imported on first use, so that the worker processes that compute masks start in a moment.
"""

from typing import TYPE_CHECKING, Any

from mask_generation.foreground import foreground_mask as foreground_mask
from mask_generation.methods import METHODS as METHODS
from mask_generation.result import ForegroundMask as ForegroundMask

if TYPE_CHECKING:
    from mask_generation.convert import convert as convert
    from mask_generation.preview import preview as preview
    from mask_generation.verify import verify as verify


def __getattr__(name: str) -> Any:
    # After the first access the function stands in the module and this is not asked again, even
    # though importing the submodule puts the module of that name there first.
    if name in ("convert", "preview", "verify"):
        import importlib

        function = getattr(importlib.import_module(f"mask_generation.{name}"), name)
        globals()[name] = function
        return function
    raise AttributeError(f"module 'mask_generation' has no attribute {name!r}")
