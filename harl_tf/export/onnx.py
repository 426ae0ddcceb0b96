"""A backbone as an ONNX file, for ONNX Runtime; needs the extra ``onnx``."""

import importlib.util
import os
import pathlib
from collections.abc import Callable

import keras
import numpy as np

from harl_tf import files
from harl_tf.export.agreement import Maps, check_agreement
from harl_tf.export.artifact import ExportError, path_of_kind
from harl_tf.export.fixed_size import converted, of_one_size

_NEEDED = ("tf2onnx", "onnxruntime")


def export_onnx(
    backbone: keras.Model, path: str | os.PathLike[str], image_size: int = 224
) -> pathlib.Path:
    """Writes a backbone as an ONNX file of float32 weights, for one image at a time.

    Args:
        backbone: A backbone of this package, such as ``load_backbone`` returns, or a functional
            model of one image around one, such as a classifier.
        path: File to write, ``NAME.onnx``; an older one is replaced.
        image_size: Side of the images, which is fixed in the file, in pixels. Default: 224.

    Returns:
        The path. The input is ``images``, float32 ``(1, image_size, image_size, 3)``, 0–255; the
        outputs are called by their levels.

    Raises:
        ExportError: If the path has another ending, the converter or ONNX Runtime is not installed,
            or the file would compute something else.

    Example:
        ::

            harl_tf.export.export_onnx(harl_tf.load_backbone("BACKBONE"), "backbone.onnx", 96)
    """
    path = path_of_kind(path, ".onnx")
    missing = [each for each in _NEEDED if importlib.util.find_spec(each) is None]
    if missing:
        raise ExportError(
            f"ONNX needs {' and '.join(missing)}, which is not installed: "
            'pip install "harl_tf[onnx]".'
        )
    network = of_one_size(backbone, image_size)
    content = converted(network, "onnx", path.name)
    check_agreement(backbone, _interpreted(content), image_size, "The ONNX file")
    files.write_bytes(path, content)
    return path


def _interpreted(content: bytes) -> Callable[[np.ndarray], Maps]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    (image,) = session.get_inputs()
    return lambda images: dict(zip(names, session.run(None, {image.name: images}), strict=True))
