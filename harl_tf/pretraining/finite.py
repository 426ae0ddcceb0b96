"""Whether a model's variables are finite: what is not should be neither saved nor exported."""

import keras
import numpy as np


def first_not_finite(model: keras.Model) -> str | None:
    """The path of the first variable that contains NaN or infinity.

    Args:
        model: A built model; the state of its optimizer is not looked at.

    Returns:
        The variable's path, or None if all are finite.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="output")])
        >>> first_not_finite(model)
        >>> _ = model.layers[0].bias.assign([np.nan])
        >>> first_not_finite(model)
        'output/bias'
    """
    for variable in model.variables:
        value = keras.ops.convert_to_numpy(variable.value)
        # bfloat16, which NumPy does not know, is of kind V.
        if value.dtype.kind not in "iub" and not np.isfinite(value.astype("float64")).all():
            return str(variable.path)
    return None
