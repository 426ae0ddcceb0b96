"""One method trained on the toy world with one seed, and what it has learned.

Owns the network, the settings of the methods and the scores; the pictures are in ``pictures``.
``tests.learning`` checks the trials of one seed against margins.
"""

import functools
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

import harl_tf
from benchmarks.quality.toy_world import pictures
from benchmarks.quality.toy_world.separation import separation
from harl_tf.losses import cell_labels

TRAINED_ON, HELD_OUT = 1200, 600
"""Number of training pictures, whose labels vote in the kNN, and of test pictures."""
VIEW, BATCH = 48, 32
RATE = 2e-3
"""Adam's initial learning rate; it decays to 0 as a cosine."""


class Method(NamedTuple):
    """How a method is trained here.

    Attributes:
        make: Makes the uncompiled model from a backbone; takes the options of ``Pretraining``.
        epochs: Passes over the pictures.
    """

    make: Callable[..., harl_tf.pretraining.Pretraining]
    epochs: int


class Score(NamedTuple):
    """The quality of a backbone, on pictures it has not seen.

    Attributes:
        knn: Accuracy of 20 nearest neighbors on pooled features; chance is 1/6.
        separation: Separation of the cells of the last map, see ``separation_of_views``.
        spread: ``harl_tf.metrics.embedding_std`` of the pooled features; 0 means collapse.
    """

    knn: float
    separation: float
    spread: float


class Trial(NamedTuple):
    """A method before and after its training.

    Attributes:
        before: Score of the random initialization. Its batch normalization has already seen the
            statistics of the pictures, so that only training makes the difference.
        after: Score of the trained backbone.
        embedding_std: The model's ``embedding_std`` in the last epoch.
        seconds: Duration of ``fit``.
        cpu_seconds: CPU time of the process in it, over all cores.
    """

    before: Score
    after: Score
    embedding_std: float
    seconds: float
    cpu_seconds: float


_HEAD: dict[str, Any] = {"projection_units": 64, "hidden_units": 256}
_FAST: dict[str, Any] = {"momentum": 0.95}  # few steps: the target must keep up
_QUEUE: dict[str, Any] = {"queue_size": 256, "temperature": 0.2}


def _hapicl(backbone: keras.Model, **options: Any) -> harl_tf.HAPiCL:
    instance = harl_tf.methods.InstanceContrast(**_HEAD, temperature=0.1)
    pixel = harl_tf.methods.PixelContrast(projection_units=64, hidden_units=256)
    return harl_tf.HAPiCL(backbone, instance, pixel, pixel_weight=3.0, **options)


METHODS = {
    "hapicl": Method(_hapicl, 10),
    "simclr": Method(functools.partial(harl_tf.SimCLR, **_HEAD, temperature=0.1), 10),
    "detcon": Method(
        functools.partial(harl_tf.DetCon, drawn_regions=4, temperature=0.2, **_HEAD, **_FAST), 14
    ),
    "harl": Method(functools.partial(harl_tf.HARL, **_HEAD, **_FAST), 16),
    "byol": Method(functools.partial(harl_tf.BYOL, **_HEAD, **_FAST), 16),
    "simsiam": Method(
        functools.partial(harl_tf.SimSiam, projection_units=128, bottleneck_units=32), 16
    ),
    "moco_v2": Method(functools.partial(harl_tf.MoCoV2, **_HEAD, **_QUEUE, **_FAST), 18),
    "densecl": Method(functools.partial(harl_tf.DenseCL, **_HEAD, **_QUEUE, **_FAST), 18),
    "pixpro": Method(functools.partial(harl_tf.PixPro, **_HEAD, **_FAST), 12),
}


@functools.cache
def run(name: str, seed: int = 0, exchanged: bool = False) -> Trial:
    """Trains a method once; tests that ask for the same trial share it.

    Args:
        name: Key of ``METHODS``.
        seed: Seed of pictures, weights and views.
        exchanged: Whether every picture is trained with the mask of another one. Scores always use
            the true masks.

    Returns:
        The scores before and after.
    """
    method = METHODS[name]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        world = pictures.make_world(2 * seed, TRAINED_ON)
        trained_on = pictures.exchange_masks(world, seed) if exchanged else world
        pictures.write_records(trained_on, work / "train")
        pictures.write_records(pictures.make_world(2 * seed + 1, HELD_OUT), work / "held_out")
        views = _views(work / "train", BATCH, seed)
        keras.utils.set_random_seed(seed)
        # SimCLR's color augmentation leaves too little contrast in such small pictures.
        colors = [harl_tf.layers.moco_color() for _ in range(2)]
        model = method.make(small_pyramid(), augmentations=colors)
        for batch in views.from_epoch(0).take(views.steps_per_epoch):
            model.backbone(model.augment(batch)[0].images, training=True)
        before = score(model, work)
        steps = method.epochs * views.steps_per_epoch
        rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
        model.compile(keras.optimizers.Adam(rate))
        start, cpu_start = time.monotonic(), time.process_time()
        history = model.fit(views, epochs=method.epochs, verbose=0).history
        seconds, cpu_seconds = time.monotonic() - start, time.process_time() - cpu_start
        after = score(model, work)
    return Trial(before, after, history["embedding_std"][-1], seconds, cpu_seconds)


def small_pyramid() -> keras.Model:
    """Four convolutions with batch normalization: a cell per 8 pixels, 128 channels.

    The last map has no ReLU: its features are centered, so that cosines of dissimilar cells are
    about 0 from the start.
    """
    image = keras.Input((None, None, 3))
    outputs, x = [], image
    for index, (channels, stride) in enumerate(((32, 2), (64, 2), (64, 1), (128, 2)), start=1):
        x = keras.layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False)(x)
        # Few steps: the running mean must keep up.
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x) if index < 4 else x
        outputs.append(x)
    half, _, quarter, eighth = outputs
    maps = {"P1": half, "P2": quarter, "P3": eighth}
    return harl_tf.backbones.feature_pyramid(keras.Model(image, maps))


def score(model: harl_tf.pretraining.Pretraining, work: pathlib.Path) -> Score:
    """Scores the current backbone."""
    embed = harl_tf.evaluation.Embedder(model.backbone)
    train, test = (
        embed(harl_tf.data.labeled_images(work / name, VIEW)) for name in ("train", "held_out")
    )
    return Score(
        harl_tf.evaluation.knn_accuracy(*train, *test),
        separation_of_views(model, work / "held_out"),
        float(harl_tf.metrics.embedding_std(tf.constant(test[0]))),
    )


def separation_of_views(model: harl_tf.pretraining.Pretraining, folder: pathlib.Path) -> float:
    """``separation`` of the cells of the last map, on pairs of views like those in training."""
    cells: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    masks: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for batch in _views(folder, 100, seed=0).from_epoch(0).take(HELD_OUT // 100):
        for index, view in enumerate(model.augment(batch)):
            cells[index].append(list(model.backbone(view.images, training=False).values())[-1])
            masks[index].append(view.masks)
    first, second = (np.concatenate(each) for each in cells)
    grid = first.shape[1:3]
    labels = [cell_labels(np.concatenate(each), grid, boundary_margin=0.25) for each in masks]
    rows = (len(first), grid[0] * grid[1], first.shape[-1])
    return separation(first.reshape(rows), second.reshape(rows), *labels)


def _views(folder: pathlib.Path, batch_size: int, seed: int) -> harl_tf.data.PairedViews:
    crop = harl_tf.data.RandomResizedCrop(area=(0.4, 1.0))
    return harl_tf.data.PairedViews(folder, batch_size, VIEW, seed=seed, crop1=crop, crop2=crop)
