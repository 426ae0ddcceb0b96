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
    from mask_generation.conversion.convert import ConversionError as ConversionError
    from mask_generation.conversion.convert import convert as convert
    from mask_generation.conversion.verify import verify as verify
    from mask_generation.evaluation.evaluate import Evaluation as Evaluation
    from mask_generation.evaluation.evaluate import evaluate as evaluate
    from mask_generation.evaluation.truth import EvaluationError as EvaluationError
    from mask_generation.previews.preview import PreviewError as PreviewError
    from mask_generation.previews.preview import preview as preview

_ON_FIRST_USE = {
    "ConversionError": "conversion.convert",
    "Evaluation": "evaluation.evaluate",
    "EvaluationError": "evaluation.truth",
    "PreviewError": "previews.preview",
    "convert": "conversion.convert",
    "evaluate": "evaluation.evaluate",
    "preview": "previews.preview",
    "verify": "conversion.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module 'mask_generation' has no attribute {name!r}")
    module = importlib.import_module(f"mask_generation.{_ON_FIRST_USE[name]}")
    return getattr(module, name)
