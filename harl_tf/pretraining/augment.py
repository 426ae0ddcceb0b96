"""From a batch of the stream to the two augmented views that the networks see."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from harl_tf.pretraining.forward import View


def two_views(
    batch: Mapping[str, tf.Tensor], augmentations: Sequence[keras.layers.Layer]
) -> tuple[View, View]:
    """Makes the two views of a checked batch.

    Args:
        batch: A batch that ``harl_tf.pretraining.checks.check_batch`` has accepted.
        augmentations: The color augmentations of the first and second view; not called if the
            stream has already augmented the colors.

    Returns:
        The first and the second view. They have different seeds, so they draw different numbers.
    """
    views, seed = [], batch.get("seed")
    for index, augmentation in enumerate(augmentations, start=1):
        images = batch.get(f"colored{index}")
        if images is None:
            images = augmentation(batch[f"view{index}"], batch[f"draws{index}"])
        views.append(View(images, batch[f"mask{index}"], batch.get(f"window{index}"), seed))
        seed = None if seed is None else tf.bitwise.invert(seed)
    first, second = views
    return first, second
