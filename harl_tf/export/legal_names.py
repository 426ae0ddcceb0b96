"""Names that Keras's optimizers can use, for the weights of a ``keras.layers.TFSMLayer``.

Keras 3.15 names them as TensorFlow does, with ``:0`` at the end, and then fails to make the state
of an optimizer inside ``fit``: "'kernel:0_momentum' is not a valid scope name". No SavedModel can
avoid it. Where harl_tf is imported, the ending is left out; elsewhere
``optimizer.build(model.trainable_variables)`` before ``fit`` helps. Owns nothing else; it goes once
Keras does so by itself, which ``tests/export`` finds out.
"""

from typing import Any

import keras


def name_saved_model_weights_legally() -> None:
    """Leaves ``:0`` out of the names of weights in every ``TFSMLayer`` made from now on.

    Example:
        >>> name_saved_model_weights_legally()
    """
    keras.layers.TFSMLayer._add_existing_weight = _add_existing_weight


def _add_existing_weight(layer: keras.layers.Layer, weight: Any) -> None:
    variable = keras.Variable(
        initializer=weight,
        trainable=weight.trainable,
        dtype=weight.dtype,
        shape=weight.shape,
        name=weight.name.replace("/", "_").removesuffix(":0"),
    )
    layer._track_variable(variable)
