"""Pooled features of a backbone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.evaluation import Embedder


@pytest.fixture
def backbone():
    """Two maps; the first is the image itself, so its pooled vector is the mean color."""
    image = keras.Input((None, None, 3))
    first = keras.layers.Activation("linear", dtype="float32")(image)
    second = keras.layers.BatchNormalization()(keras.layers.Conv2D(5, 3, strides=2)(image))
    return keras.Model(image, {"P1": first, "P2": second})


def batches(sizes, seed=0):
    random = np.random.default_rng(seed)
    return [
        (random.integers(0, 256, (n, 8, 8, 3)).astype("uint8"), random.integers(0, 3, n))
        for n in sizes
    ]


def test_embedder_averages_the_cells_of_a_map(backbone):
    data = batches([3, 3, 1])
    vectors, labels = Embedder(backbone, "P1")(data)
    images = np.concatenate([images for images, _ in data]).astype(float)
    np.testing.assert_allclose(vectors, images.mean(axis=(1, 2)), rtol=1e-5)
    assert labels.tolist() == np.concatenate([labels for _, labels in data]).tolist()


def test_embedder_last_map_by_default_in_inference_mode(backbone):
    """Batch normalisation uses its moving statistics and does not learn."""
    data, before = batches([4]), backbone.get_weights()
    vectors, _ = Embedder(backbone)(data)
    features = backbone(data[0][0].astype("float32"), training=False)["P2"]
    np.testing.assert_allclose(vectors, tf.reduce_mean(features, axis=(1, 2)), rtol=1e-5)
    for weight, value in zip(backbone.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_embedder_sees_later_weights(backbone):
    """Traced once, but the weights are the backbone's own."""
    embed, data = Embedder(backbone), batches([2])
    first, _ = embed(data)
    backbone.layers[-1].gamma.assign(2.0 * backbone.layers[-1].gamma)
    np.testing.assert_allclose(embed(data)[0], 2.0 * first, rtol=1e-5)


def test_embedder_half_precision_maps_come_out_as_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    image = keras.Input((8, 8, 3))
    backbone = keras.Model(image, {"P1": keras.layers.Conv2D(4, 1)(image)})
    assert Embedder(backbone)(batches([2]))[0].dtype == np.float32


def test_embedder_takes_a_tf_data_set(backbone):
    data = tf.data.Dataset.from_tensor_slices(batches([5])[0]).batch(2)
    vectors, labels = Embedder(backbone, "P1")(data)
    assert vectors.shape == (5, 3)
    assert labels.shape == (5,)


def test_embedder_unknown_level(backbone):
    with pytest.raises(ValueError, match=r"Expected level in \['P1', 'P2'\]. Received: level='P9'"):
        Embedder(backbone, "P9")


def test_embedder_no_batches(backbone):
    with pytest.raises(ValueError, match="Expected at least one batch of images"):
        Embedder(backbone)([])


def test_images_without_labels_have_the_same_vectors(backbone):
    embed, data = Embedder(backbone, "P1"), batches([3, 1])
    np.testing.assert_array_equal(embed.vectors(images for images, _ in data), embed(data)[0])
    with pytest.raises(ValueError, match=r"one batch of images. Received: none"):
        embed.vectors([])
