"""Closed-form checks of the reference of the metrics of embeddings."""

import math

import numpy as np
import pytest

from tests.reference import embedding_metrics_numpy as ref


def test_alignment_by_hand():
    """Equal directions 0, right angles 2, opposite ones 4: the mean is 2, at any length."""
    z1 = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    z2 = [[5.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]
    assert ref.alignment(z1, z2) == pytest.approx(2.0, rel=1e-15)


def test_uniformity_of_equal_embeddings_is_zero():
    """Every exp(0) is 1."""
    assert ref.uniformity(np.ones((3, 2)), 2 * np.ones((3, 2))) == pytest.approx(0.0, abs=1e-15)


def test_uniformity_of_a_square():
    """e1, e2, -e1, -e2: of each one's three others two are at distance^2 2 and one at 4.

    log((2 e^-4 + e^-8) / 3). Pairs of one image count as well: e1 and -e1 are the two views of one.
    """
    expected = math.log((2 * math.exp(-4) + math.exp(-8)) / 3)
    assert ref.uniformity(np.eye(2), -np.eye(2)) == pytest.approx(expected, rel=1e-14)


def test_contrastive_accuracy_all_and_none():
    """Every image its own direction: all. The second views exchanged: none."""
    z = np.eye(3)
    assert ref.contrastive_accuracy(z, 2 * z) == 1.0
    assert ref.contrastive_accuracy(z, z[[1, 2, 0]]) == 0.0


def test_contrastive_accuracy_counts_both_views():
    """Angles 0 and 90 degrees, their second views at 9 and 20.

    0 finds 9, 9 finds 0 and 90 finds 20, all partners; 20 finds 9, not 90: three of four.
    """
    angles = np.radians([0.0, 90.0, 9.0, 20.0])
    z = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    assert ref.contrastive_accuracy(z[:2], z[2:]) == 0.75


def test_contrastive_accuracy_of_equals_is_zero():
    """All alike: nobody is nearer to the partner than to the rest.

    With e1 in both views of images 0 and 1 and e2 in those of image 2 only image 2 is found.
    """
    assert ref.contrastive_accuracy(np.ones((2, 2)), np.ones((2, 2))) == 0.0
    z = np.eye(2)[[0, 0, 1]]
    assert ref.contrastive_accuracy(z, z) == pytest.approx(1 / 3)


def test_contrastive_accuracy_single_pair():
    """The partner is the only other embedding."""
    assert ref.contrastive_accuracy([[1.0, 0.0]], [[-1.0, 0.0]]) == 1.0
