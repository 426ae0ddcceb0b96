"""Photographs in, TFRecords of image and foreground mask out; no labels, no trained weights.

``foreground_mask`` is light: it needs neither TensorFlow nor ``harl_tf``. What writes and reads
records is imported on first use, so that the worker processes that compute masks start in a moment.
"""

import importlib
from typing import TYPE_CHECKING, Any

from mask_generation.foreground import foreground_mask as foreground_mask
from mask_generation.methods import METHODS as METHODS
from mask_generation.result import ForegroundMask as ForegroundMask

if TYPE_CHECKING:
    from mask_generation.converter import ConversionError as ConversionError
    from mask_generation.converter import convert as convert
    from mask_generation.evaluation import Evaluation as Evaluation
    from mask_generation.evaluation import evaluate as evaluate
    from mask_generation.gallery import PreviewError as PreviewError
    from mask_generation.gallery import preview as preview
    from mask_generation.truth import EvaluationError as EvaluationError
    from mask_generation.verifier import verify as verify

_ON_FIRST_USE = {
    "ConversionError": "converter",
    "Evaluation": "evaluation",
    "EvaluationError": "truth",
    "PreviewError": "gallery",
    "convert": "converter",
    "evaluate": "evaluation",
    "preview": "gallery",
    "verify": "verifier",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module 'mask_generation' has no attribute {name!r}")
    module = importlib.import_module(f"mask_generation.{_ON_FIRST_USE[name]}")
    return getattr(module, name)
