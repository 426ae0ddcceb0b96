"""Shared fixtures, for the tests and for the examples in docstrings.

Four logical CPU devices, small photographs, a folder of their records.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Small matrices: more threads only spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# As in harl_tf, which is imported after TensorFlow here.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import harl_tf
import mask_generation

# Before TensorFlow initializes its devices: the tests of replicas need them.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4
)


@pytest.fixture(autouse=True)
def doctest_names(doctest_namespace):
    doctest_namespace.update(
        np=np,
        tf=tf,
        keras=keras,
        harl_tf=harl_tf,
        resnet=harl_tf.backbones.resnet,
    )


@pytest.fixture(autouse=True)
def same_draws():
    """Fresh networks are the same in every run.

    Of the smallest ones, a draw in forty or so has a hidden layer that answers an image with
    nothing but zeros, and so a vector of no direction.
    """
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def default_policy():
    """No test leaves another dtype policy to the next."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def two_replicas():
    """Made once; a second strategy with default collectives would hang the process."""
    return mirrored(2)


@pytest.fixture(scope="session")
def four_replicas():
    return mirrored(4)


def mirrored(count: int) -> tf.distribute.MirroredStrategy:
    return tf.distribute.MirroredStrategy(
        [f"CPU:{index}" for index in range(count)],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def make_photograph(seed: int, height: int = 60, width: int = 80) -> np.ndarray:
    """A bright disc on a dark textured ground: uint8 (height, width, 3)."""
    random = np.random.default_rng(seed)
    image = random.integers(20, 70, (height, width, 3))
    rows, columns = np.mgrid[:height, :width]
    center = random.uniform(0.35, 0.65, 2) * (height, width)
    disc = (rows - center[0]) ** 2 + (columns - center[1]) ** 2 < (0.25 * height) ** 2
    image[disc] = random.integers(120, 255, 3) + random.integers(-10, 1, (disc.sum(), 3))
    return image.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """Folder of twelve photographs in two class folders."""
    folder = tmp_path_factory.mktemp("photographs")
    for index in range(12):
        subfolder = folder / ("even", "odd")[index % 2]
        subfolder.mkdir(exist_ok=True)
        Image.fromarray(make_photograph(index)).save(subfolder / f"{index:02d}.png")
    return folder


@pytest.fixture(scope="session")
def records(photographs, tmp_path_factory):
    """Folder of their records, in three shards."""
    out = tmp_path_factory.mktemp("records") / "records"
    mask_generation.convert(photographs, out, images_per_shard=5, progress=False)
    return out
