"""Photographs in, TFRecords of image and foreground mask out; no labels, no trained weights.

The names below are the public API; the modules behind them may move. All are imported on first use:
``foreground_mask`` and the methods need neither TensorFlow nor ``harl_tf``, so that the worker
processes that compute masks start quickly, and a command has set up how it is interrupted before
anything slow is imported.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mask_generation.conversion.checking.verify import verify as verify
    from mask_generation.conversion.convert import ConversionError as ConversionError
    from mask_generation.conversion.convert import convert as convert
    from mask_generation.evaluation.evaluate import Evaluation as Evaluation
    from mask_generation.evaluation.evaluate import evaluate as evaluate
    from mask_generation.evaluation.truth import EvaluationError as EvaluationError
    from mask_generation.foreground import foreground_mask as foreground_mask
    from mask_generation.inputs.folder import find_images as find_images
    from mask_generation.methods import DRFI as DRFI
    from mask_generation.methods import METHODS as METHODS
    from mask_generation.methods import MODEL_METHODS as MODEL_METHODS
    from mask_generation.methods import BASNet as BASNet
    from mask_generation.methods import FeatureCut as FeatureCut
    from mask_generation.methods import Fusion as Fusion
    from mask_generation.methods import MaskMethod as MaskMethod
    from mask_generation.methods import Thresholded as Thresholded
    from mask_generation.methods.regions import REGION_METHODS as REGION_METHODS
    from mask_generation.methods.regions import region_map as region_map
    from mask_generation.networks.opening import ModelError as ModelError
    from mask_generation.previews.contact_sheet import draw_mask as draw_mask
    from mask_generation.previews.preview import PreviewError as PreviewError
    from mask_generation.previews.preview import preview as preview
    from mask_generation.result import ForegroundMask as ForegroundMask

_ON_FIRST_USE = {
    "BASNet": "methods",
    "ConversionError": "conversion.convert",
    "DRFI": "methods",
    "Evaluation": "evaluation.evaluate",
    "EvaluationError": "evaluation.truth",
    "FeatureCut": "methods",
    "ForegroundMask": "result",
    "Fusion": "methods",
    "METHODS": "methods",
    "MODEL_METHODS": "methods",
    "MaskMethod": "methods",
    "ModelError": "networks.opening",
    "PreviewError": "previews.preview",
    "REGION_METHODS": "methods.regions",
    "Thresholded": "methods",
    "convert": "conversion.convert",
    "draw_mask": "previews.contact_sheet",
    "evaluate": "evaluation.evaluate",
    "find_images": "inputs.folder",
    "foreground_mask": "foreground",
    "preview": "previews.preview",
    "region_map": "methods.regions",
    "verify": "conversion.checking.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module 'mask_generation' has no attribute {name!r}")
    module = importlib.import_module(f"mask_generation.{_ON_FIRST_USE[name]}")
    return getattr(module, name)
