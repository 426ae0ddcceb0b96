"""What the methods' losses are made of, redone in NumPy on a backbone of two convolutions.

Only the feature maps come from TensorFlow; heads, pooling, labels and losses are those of
``tests/reference``, put together as the papers say.
"""

import keras
import numpy as np
import tensorflow as tf

from harl_tf.pretraining import Pretraining, View
from tests.reference import bootstrap_numpy, momentum_contrast_numpy, pooling_numpy
from tests.reference.cell_labels_numpy import region_shares

SMALL = {"projection_units": 3, "hidden_units": 6}
QUEUED = SMALL | {"queue_size": 8, "temperature": 0.3}


def two_convolutions() -> keras.Model:
    """Images of 12 pixels to 4×4 cells of 4 channels and 2×2 cells of 5, without any state."""
    image = keras.Input((12, 12, 3))
    fine = keras.layers.Conv2D(4, 3, strides=3, activation="tanh", name="fine")(image / 255.0)
    coarse = keras.layers.Conv2D(5, 2, strides=2, activation="tanh", name="coarse")(fine)
    return keras.Model(image, {"P1": fine, "P2": coarse})


def scatter(model: Pretraining, seed: int = 1) -> Pretraining:
    """Moves every weight, so that no target equals its online network and no scale is 1."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if not str(weight.dtype).startswith("float"):
            continue
        sign = 1 if "variance" in weight.path else random.choice([-1, 1], weight.shape)
        weight.assign(random.uniform(0.5, 1.5, weight.shape) * sign)
    return model


def make_views(batch: int = 4, regions: int = 2) -> tuple[View, View]:
    """Views of noise. The first image has both regions in both views, the second no background,
    the third a foreground in its first view only."""
    random = np.random.default_rng(0)
    shares = random.uniform(0.3, 0.7, (2, batch, 1, 1))
    masks = (random.random((2, batch, 12, 12)) < shares).astype("uint8")
    masks[0, 0, :7], masks[0, 0, 7:], masks[1, 0, :7], masks[1, 0, 7:] = 1, 0, 0, 1
    masks[:, 1] = 1
    masks[1, 2] = 0
    if regions > 2:
        numbers = random.integers(0, regions, (2, batch, 6, 6))
        masks = numbers.repeat(2, axis=2).repeat(2, axis=3).astype("uint8")
        masks[:, 1], masks[1, 2] = 1, 0
    images = random.uniform(0, 255, (2, batch, 12, 12, 3))
    windows = np.stack(
        [
            random.integers(0, 20, (2, batch)),
            random.integers(0, 30, (2, batch)),
            random.integers(30, 40, (2, batch)),
            random.integers(40, 50, (2, batch)),
            random.integers(0, 2, (2, batch)),
            np.full((2, batch), 60),
            np.full((2, batch), 80),
        ],
        axis=-1,
    ).astype("int32")
    windows[:, 3, :2], windows[:, 3, 2:4] = 0, 10  # far apart: no cell is near another
    windows[1, 3, :2] = (50, 70)
    seeds = random.integers(-(2**31), 2**31, (2, batch, 2)).astype("int32")
    return tuple(
        View(*(tf.constant(each) for each in (images[v], masks[v], windows[v], seeds[v])))
        for v in (0, 1)
    )


def maps_of(network: keras.Model, views: tuple[View, View]) -> list[dict[str, np.ndarray]]:
    """Feature maps of both views."""
    return [{k: m.numpy() for k, m in network(view.images).items()} for view in views]


def cells_of(features: np.ndarray) -> np.ndarray:
    return features.reshape(len(features), -1, features.shape[-1])


def pooled(maps: list[dict[str, np.ndarray]], level: str = "P2") -> list[np.ndarray]:
    return [each[level].mean(axis=(1, 2)) for each in maps]


def head(network: keras.Model, rows: np.ndarray, training: bool = False) -> np.ndarray:
    """A head's layers one by one, in float64; on all but the last axis they act row by row."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            rows = rows @ layer.kernel.numpy()
            rows = rows + layer.bias.numpy() if layer.use_bias else rows
        elif isinstance(layer, keras.layers.BatchNormalization):
            mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
            if training:
                axes = tuple(range(rows.ndim - 1))
                mean, variance = rows.mean(axis=axes), rows.var(axis=axes)
            rows = (rows - mean) / np.sqrt(variance + layer.epsilon)
            rows = rows * layer.gamma.numpy() if layer.scale else rows
            rows = rows + layer.beta.numpy() if layer.center else rows
        else:
            assert isinstance(layer, keras.layers.ReLU)
            rows = np.maximum(rows, 0)
    return rows


def heads(network, pair, training=False, together=False) -> list[np.ndarray]:
    """A head on both views, in one batch or in two."""
    if together:
        return np.split(head(network, np.concatenate(pair), training), 2)
    return [head(network, rows, training) for rows in pair]


def bootstrap(branch, online, target, training=False) -> tuple[list, list]:
    """Predictions and targets of a ``Bootstrap``."""
    embeddings = heads(branch.projector, online, training)
    predictions = heads(branch.predictor, embeddings, training)
    return predictions, heads(branch.targets["projector"], target, training)


def byol_loss(branch, online, target, training=False) -> float:
    """Both directions of the distance, averaged over images; of pooled vectors."""
    predictions, targets = bootstrap(branch, online, target, training)
    present = np.ones(len(online[0]), bool)
    return bootstrap_numpy.region_term(*predictions, *targets, present, present)


def moco_loss(branch, online, target, symmetric, temperature=0.3) -> float:
    """InfoNCE of the first view's queries and the second view's keys, or of both ways."""
    queries = heads(branch.projector, online)
    keys = heads(branch.targets["projector"], target)
    queue = branch.queue.keys.numpy()
    ways = [(0, 1), (1, 0)] if symmetric else [(0, 1)]
    losses = [
        momentum_contrast_numpy.momentum_contrast(queries[q], keys[k], queue, temperature).mean()
        for q, k in ways
    ]
    return float(np.mean(losses))


def harl_totals(
    branch, maps, targets, views, alpha, beta, level="P2"
) -> bootstrap_numpy.HarlTotals:
    """HARL's totals; regions of another level than the last go through heads of their own."""
    vectors: list[list] = [[], [], [], []]
    shares = [region_shares(view.masks.numpy(), grid_of(maps[0][level]), 2) for view in views]
    regions = [
        [
            pooling_numpy.harl_regions(cells_of(m[level]), s[..., 1])
            for m, s in zip(each, shares, strict=True)
        ]
        for each in (maps, targets)
    ]
    online = [pooled(maps), *([v[:, r] for v, _ in regions[0]] for r in (1, 2))]
    target = [pooled(targets), *([v[:, r] for v, _ in regions[1]] for r in (1, 2))]
    for index in range(3):
        of_region = (branch.region_heads or branch) if index else branch
        predictions, keys = bootstrap(of_region, online[index], target[index])
        for collected, each in zip(vectors, (*predictions, *keys), strict=True):
            collected.append(each)
    stacked = [np.stack(each, axis=1) for each in vectors]
    present = [presence for _, presence in regions[0]]
    return bootstrap_numpy.harl(*stacked, *present, alpha, beta)


def grid_of(features: np.ndarray) -> tuple[int, int]:
    return features.shape[1:3]
