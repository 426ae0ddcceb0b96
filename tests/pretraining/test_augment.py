"""The two views of a batch."""

import tensorflow as tf

from harl_tf.pretraining.augment import two_views


def test_each_view_has_its_own_augmentation_and_draws():
    """0 + 1 + 10 for the first view, 0 + 2 + 20 for the second."""

    def add_one(images, draws):
        return images + 1.0 + draws

    def add_two(images, draws):
        return images + 2.0 + draws

    batch = {f"view{v}": tf.zeros((1, 4, 4, 3)) for v in (1, 2)}
    batch |= {f"mask{v}": tf.zeros((1, 4, 4), tf.uint8) for v in (1, 2)}
    batch |= {"draws1": tf.constant(10.0), "draws2": tf.constant(20.0)}
    first, second = two_views(batch, (add_one, add_two))
    assert (float(first.images[0, 0, 0, 0]), float(second.images[0, 0, 0, 0])) == (11.0, 22.0)
