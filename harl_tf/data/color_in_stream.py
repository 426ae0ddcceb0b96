"""Color augmentation inside the stream, for training on CPUs.

Owns the batch keys and the call; the draws and their meaning are those of
``harl_tf.layers.RandomColor``.
"""

from collections.abc import Mapping

import tensorflow as tf

from harl_tf.data.color_on_host import apply_plan
from harl_tf.data.python_calls import numpy_call
from harl_tf.layers import RandomColor

Colors = tuple[RandomColor, RandomColor]
"""The color augmentations of the first and the second view."""


def colored(batch: Mapping[str, tf.Tensor], colors: Colors | None) -> dict[str, tf.Tensor]:
    """Augments the colors of a batch of ``PairedViews``.

    Args:
        batch: The batch.
        colors: Color augmentations, or None to leave the batch unchanged.

    Returns:
        The batch with ``colored1`` and ``colored2``, float32, in place of ``view1``, ``view2``,
        ``draws1`` and ``draws2``; equal to the output of the augmentations up to rounding.

    Example:
        >>> sorted(colored({"view1": tf.zeros((1, 4, 4, 3))}, None))
        ['view1']
    """
    outputs = dict(batch)
    for index, color in enumerate(colors or (), start=1):
        images, draws = outputs.pop(f"view{index}"), outputs.pop(f"draws{index}")
        plan = color.plan(draws, images.shape[1])
        (result,) = numpy_call(apply_plan, [images, *plan], [tf.float32])
        outputs[f"colored{index}"] = tf.ensure_shape(result, images.shape)
    return outputs
