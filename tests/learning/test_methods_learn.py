"""Every method learns the shapes of the toy world without their labels.

Chance is 1/6; a random initialisation has .32 to .38 for its textures alone. With 600 pictures, one
standard error is .02. ``benchmarks/results/toy_world.csv`` has the figures of three seeds, of which
the least is .21 above the random initialisation.
"""

import numpy as np
import pytest

import harl_tf
from benchmarks.quality.toy_world import pictures, trial
from harl_tf.pretraining import Pretraining

MARGIN = 0.1
"""Five standard errors."""


def test_every_public_method_is_on_trial():
    public = {
        value
        for value in vars(harl_tf).values()
        if isinstance(value, type) and issubclass(value, Pretraining)
    }
    backbone = trial.small_pyramid()
    assert {type(method.make(backbone)) for method in trial.METHODS.values()} == public


def test_worlds_have_every_class_equally_often_and_differ_by_seed():
    world, other = pictures.make_world(0, 12), pictures.make_world(1, 12)
    assert np.bincount(world.labels).tolist() == [2] * 6
    assert not np.array_equal(world.images, other.images)
    np.testing.assert_array_equal(world.images, pictures.make_world(0, 12).images)


@pytest.mark.slow
@pytest.mark.parametrize("name", trial.METHODS)
def test_method_learns_the_shapes(name):
    """Pooled features of unseen pictures have neighbors of their own class more often."""
    result = trial.run(name)
    assert result.after.knn > result.before.knn + MARGIN


@pytest.mark.slow
@pytest.mark.parametrize("name", trial.METHODS)
def test_method_does_not_collapse(name):
    """Both figures are 1 on the whole sphere, 0 for one vector.

    The features of three seeds are at .75 or more; SimSiam without its stopped gradient, which
    collapses as far as its batch normalisation lets it, is at .55. Of the embeddings PixPro's have
    least, .40: they are means over the cells of a picture.
    """
    result = trial.run(name)
    assert result.after.spread > 0.65
    assert result.embedding_std > 0.3
