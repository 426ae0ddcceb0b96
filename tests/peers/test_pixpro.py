"""PixPro's propagation, distances and loss against the package pixel-level-contrastive-learning.

That package has one pair of windows for a whole batch of square images. For windows image by image
in oblong images there is a short PyTorch version of the paper's formulas below.
"""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from harl_tf.losses import cell_distance, pixel_consistency, pixel_propagation
from tests import peers

PACKAGE = "pixel_level_contrastive_learning.pixel_level_contrastive_learning"

torch = pytest.importorskip("torch", reason=peers.NEEDED)
package = pytest.importorskip(PACKAGE, reason=peers.NEEDED)

BATCH, SIDE, GRID, DIMENSIONS = 3, 32, 4, 8
THRESHOLD = 0.7

# ((top, bottom), (left, right)) and mirrored, of both views.
WINDOWS = {
    "same_size": (((2, 22), (3, 23)), False, ((7, 27), (1, 21)), False),
    "other_size": (((0, 24), (4, 28)), False, ((9, 25), (11, 27)), False),
    "first_mirrored": (((2, 22), (3, 23)), True, ((7, 27), (1, 21)), False),
    "both_mirrored": (((0, 24), (4, 28)), True, ((9, 25), (11, 27)), True),
}


def as_window(sides, mirrored):
    (top, bottom), (left, right) = sides
    return [top, left, bottom - top, right - left, int(mirrored), SIDE, SIDE]


def as_cells(maps):
    """(B, C, H, W) of PyTorch to our (B, cells, C)."""
    maps = maps.detach().numpy()
    return maps.reshape(*maps.shape[:2], -1).swapaxes(1, 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sharpness", [1.0, 2.0, 3.0])
def test_pixel_propagation_agrees_with_the_package(sharpness, dtype):
    """g is the package's convolution with a kernel of one cell, and ours is given its weights."""
    random = np.random.default_rng(0)
    maps = random.normal(size=(2, DIMENSIONS, 3, 5)).astype(dtype)
    weighting = random.normal(size=(2, DIMENSIONS, 3, 5)).astype(dtype)
    propagate = package.PPM(chan=DIMENSIONS, num_layers=1, gamma=sharpness).to(
        torch.tensor(maps).dtype
    )
    kernel = propagate.transform_net.weight.detach().numpy()[:, :, 0, 0].T
    bias = propagate.transform_net.bias.detach().numpy()

    def ours(maps):
        cells = tf.reshape(tf.transpose(maps, (0, 2, 3, 1)), (2, 15, DIMENSIONS))
        propagated = pixel_propagation(cells, cells @ kernel + bias, sharpness)
        propagated = tf.transpose(tf.reshape(propagated, (2, 3, 5, DIMENSIONS)), (0, 3, 1, 2))
        return tf.reduce_mean(propagated * weighting)

    def theirs(maps):
        return (propagate(maps) * torch.tensor(weighting)).mean()

    peers.assert_same(peers.in_tensorflow(ours, maps), peers.in_torch(theirs, maps))


class Learner:
    """The package's whole training step on windows of our choice, and what it computed inside."""

    def __init__(self, monkeypatch, windows, threshold):
        sides1, mirrored1, sides2, mirrored2 = windows
        sides, mirrored = itertools.cycle([sides1, sides2]), itertools.cycle([mirrored1, mirrored2])
        monkeypatch.setattr(package, "cutout_coordinates", lambda *_: (next(sides), None))
        monkeypatch.setattr(package, "rand_true", lambda _: next(mirrored))
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(3, 6, SIDE // GRID, stride=SIDE // GRID), torch.nn.AdaptiveAvgPool2d(1)
        )
        self._learner = package.PixelCL(
            network,
            image_size=SIDE,
            hidden_layer_pixel=0,
            hidden_layer_instance=1,
            projection_size=DIMENSIONS,
            projection_hidden_size=16,
            augment_fn=torch.nn.Identity(),
            distance_thres=threshold,
        ).double()
        # As it starts, the target network equals the online one.
        for weight in self._learner.target_encoder.parameters():
            weight.data += 0.2 * torch.randn_like(weight)
        self.propagate = self._learner.propagate_pixels
        self.cells, self.targets, self.distance = [], [], None

    def pixel_loss(self):
        """Its value; afterwards ``cells``, ``targets`` and ``distance`` are those of the step."""
        images = torch.randn(BATCH, 3, SIDE, SIDE, dtype=torch.float64)
        self._learner.alpha = 0.0
        instance_loss = self._learner(images)

        def keep_cells(_, inputs, __):
            inputs[0].retain_grad()
            self.cells.append(inputs[0])

        def keep_targets(_, __, outputs):
            self.targets.append(outputs[0])

        def keep_distance(module, _, distance):
            if isinstance(module, torch.nn.PairwiseDistance):
                self.distance = distance.reshape(GRID**2, GRID**2).numpy()

        handles = [
            self.propagate.register_forward_hook(keep_cells),
            self._learner.target_encoder.register_forward_hook(keep_targets),
            torch.nn.modules.module.register_module_forward_hook(keep_distance),
        ]
        self._learner.alpha = 1.0
        loss = self._learner(images)
        for handle in handles:
            handle.remove()
        loss.backward()
        return (loss - instance_loss).detach().numpy()


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize("name", WINDOWS)
def test_distance_and_loss_agree_with_the_package(name, monkeypatch):
    """Two conversions.

    The package measures in diagonals of the cells that the whole image would have, the paper in
    those of the view's cells: a factor of view over image, of the larger view. And its loss is the
    mean of both directions' negative cosine, ours the sum of both distances 2 - 2 cos.
    """
    windows = WINDOWS[name]
    window1, window2 = as_window(*windows[:2]), as_window(*windows[2:])
    larger = max(window1[2], window2[2]) / SIDE
    learner = Learner(monkeypatch, windows, THRESHOLD * larger)
    expected = learner.pixel_loss()

    batch1, batch2 = tf.constant([window1] * BATCH), tf.constant([window2] * BATCH)
    distance = cell_distance(batch1, batch2, (GRID, GRID), (GRID, GRID))
    # PyTorch's PairwiseDistance adds 1e-6 to the differences.
    np.testing.assert_allclose(distance[0] * larger, learner.distance, rtol=0, atol=1e-5)
    assert np.abs(distance - THRESHOLD).min() > 1e-3
    near = distance < THRESHOLD
    assert 0 < np.count_nonzero(near[0]) < GRID**4

    kernel = learner.propagate.transform_net.weight.detach().numpy()[:, :, 0, 0].T
    bias = learner.propagate.transform_net.bias.detach().numpy()
    targets1, targets2 = map(as_cells, learner.targets)

    def ours(cells1, cells2):
        propagated1 = pixel_propagation(cells1, cells1 @ kernel + bias)
        propagated2 = pixel_propagation(cells2, cells2 @ kernel + bias)
        forward = pixel_consistency(propagated1, targets2, near)
        backward = pixel_consistency(propagated2, targets1, tf.transpose(near, (0, 2, 1)))
        return (tf.reduce_mean(forward.values + backward.values) - 4) / 4

    peers.assert_same(
        peers.in_tensorflow(ours, *map(as_cells, learner.cells)),
        (expected, [as_cells(cells.grad) for cells in learner.cells]),
    )


def formula_of_the_paper(cells, targets, windows1, windows2, grid1, grid2):
    """One direction of Xie et al. 2021, sec. 3.1 and eq. 5, in PyTorch, pair by pair.

    Negative cosines of one view's propagated cells and the other's, averaged over the pairs nearer
    than 0.7 diagonals of a cell; image by image, for images with such a pair.
    """
    losses = []
    for image in range(len(windows1)):
        first, diagonal1 = centers(windows1[image], grid1)
        second, diagonal2 = centers(windows2[image], grid2)
        pairs = [
            torch.nn.functional.cosine_similarity(cells[image, i], targets[image, j], dim=0)
            for (i, center1), (j, center2) in itertools.product(enumerate(first), enumerate(second))
            if math.dist(center1, center2) / max(diagonal1, diagonal2) < THRESHOLD
        ]
        if pairs:
            losses.append(-torch.stack(pairs).mean())
    return torch.stack(losses)


def centers(window, grid):
    """Centres of the cells, row by row, and their diagonal, in shares of the image's sides."""
    top, left, height, width, mirrored, image_height, image_width = window
    down, along = height / image_height / grid[0], width / image_width / grid[1]
    columns = range(grid[1])
    return [
        (top / image_height + (row + 0.5) * down, left / image_width + (column + 0.5) * along)
        for row in range(grid[0])
        for column in (reversed(columns) if mirrored else columns)
    ], math.hypot(down, along)


def test_windows_image_by_image_agree_with_the_paper():
    """Oblong images and grids; the third image's views do not meet and are not counted."""
    windows1 = [[3, 5, 30, 60, 0, 50, 90], [0, 0, 40, 20, 1, 40, 64], [0, 0, 9, 9, 0, 30, 30]]
    windows2 = [[10, 20, 40, 45, 1, 50, 90], [4, 2, 31, 47, 0, 40, 64], [20, 20, 9, 9, 0, 30, 30]]
    grid1, grid2 = (3, 4), (2, 5)
    random = np.random.default_rng(0)
    cells, targets = random.normal(size=(3, 12, 8)), random.normal(size=(3, 10, 8))
    distance = cell_distance(tf.constant(windows1), tf.constant(windows2), grid1, grid2)
    assert np.abs(distance - THRESHOLD).min() > 1e-3

    def ours(cells, targets):
        result = pixel_consistency(cells, targets, distance < THRESHOLD)
        np.testing.assert_array_equal(result.counted, [True, True, False])
        return tf.tensordot(tf.constant([1.0, 2.0], tf.float64), result.values[:2] / 2 - 1, 1)

    def theirs(cells, targets):
        first, second = formula_of_the_paper(
            cells, targets.detach(), windows1, windows2, grid1, grid2
        )
        return first + 2 * second

    peers.assert_same(
        peers.in_tensorflow(ours, cells, targets), peers.in_torch(theirs, cells, targets)
    )
