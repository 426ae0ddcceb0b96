"""The batch that steps are timed on is one that methods take."""

import numpy as np

from benchmarks.harness.step_batch import make_batch
from harl_tf.pretraining.batch import COLORED_KEYS


def test_batch_has_the_keys_and_sizes_of_views_whose_colors_were_changed():
    batch = make_batch(3, 16)
    assert set(COLORED_KEYS) <= set(batch)
    images, *_ = (batch[key] for key in COLORED_KEYS)
    assert images.shape == (3, 16, 16, 3)
    assert batch["mask1"].shape == batch["mask2"].shape == (3, 16, 16)


def test_masks_have_both_regions():
    masks = make_batch(8, 32)["mask1"]
    assert all(set(np.unique(mask)) == {0, 1} for mask in masks)
