"""HAPiCL's two terms as the model puts them together, against the reference in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from harl_tf.methods import InstanceContrast
from harl_tf.pretraining import View
from tests.networks import hapicl
from tests.reference import hapicl_numpy as ref


def make_model(**settings):
    """One convolution with a 2×2 map of 12-pixel images: four cells of 6×6 pixels."""
    image = keras.Input((12, 12, 3))
    maps = keras.layers.Conv2D(5, 6, strides=6, name="cells")(image / 255.0)
    model = hapicl(
        keras.Model(image, {"P1": maps}),
        InstanceContrast(projection_units=3, hidden_units=6, temperature=0.3),
        hidden_units=6,
        projection_units=4,
        **settings,
    )
    for head in heads_of(model):
        random = np.random.default_rng(1)
        for weight in head.weights:
            sign = 1 if "variance" in weight.path else random.choice([-1, 1], weight.shape)
            weight.assign(random.uniform(0.5, 1.5, weight.shape) * sign)
    return model


def heads_of(model):
    return model.branches["instance"].projector, model.branches["pixel"].pixel_head


def make_views(batch=4):
    random = np.random.default_rng(0)
    masks = (random.random((2, batch, 12, 12)) < random.random((2, batch, 1, 1))).astype("uint8")
    masks[0, 0, :6], masks[0, 0, 6:], masks[1, 0, :6], masks[1, 0, 6:] = 1, 0, 0, 1
    masks[:, 1] = 1  # not counted
    images = random.uniform(0, 255, (2, batch, 12, 12, 3))
    return [View(tf.constant(images[v]), tf.constant(masks[v])) for v in (0, 1)]


def head_in_numpy(head, rows):
    """Dense, batch normalisation with moving statistics, ReLU, dense."""
    kernel, gamma, beta, mean, variance, kernel2, bias2 = (w.numpy() for w in head.weights)
    hidden = (rows @ kernel - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    return np.maximum(hidden, 0) @ kernel2 + bias2


@pytest.mark.parametrize("margin", [0.0, 0.25])
def test_hapicl_terms_agree_with_the_reference(margin):
    """Features come from the backbone; heads, pooling, labels and losses are redone in NumPy."""
    keras.config.set_dtype_policy("float64")
    settings = {"temperature": 0.15, "foreground_weight": 0.7}
    model = make_model(boundary_margin=margin, pixel_weight=2.0, **settings)
    projector, pixel_head = heads_of(model)
    view1, view2 = make_views()
    terms = model.loss_terms(view1, view2, training=False)

    maps = [model.backbone(view.images)["P1"].numpy() for view in (view1, view2)]
    pooled = [head_in_numpy(projector, m.mean(axis=(1, 2))) for m in maps]
    instance = ref.nt_xent(*pooled, 0.3)
    cells = [head_in_numpy(pixel_head, m.reshape(4, 4, 5)) for m in maps]
    labels = [ref.cell_labels(view.masks, (2, 2), margin) for view in (view1, view2)]
    (_, y1, ok1), (_, y2, ok2) = labels
    pixel = ref.pixel_loss(*cells, y1, y2, ok1, ok2, 0.15, 0.7)

    assert pixel > 0
    assert abs(float(terms["loss_instance"]) - instance) <= 1e-6
    assert abs(float(terms["loss_pixel"]) - pixel) <= 1e-6
    assert abs(float(terms["loss"]) - (instance + 2.0 * pixel)) <= 1e-6


def test_hapicl_terms_gradient_agrees_with_differences():
    """The gradient of the whole loss in one kernel, by central differences of the loss itself."""
    keras.config.set_dtype_policy("float64")
    model = make_model()
    view1, view2 = make_views()
    kernel = heads_of(model)[1].trainable_variables[-2]
    start = kernel.numpy()

    def loss(value):
        kernel.assign(value)
        return float(model.loss_terms(view1, view2, training=True)["loss"])

    with tf.GradientTape() as tape:
        value = model.loss_terms(view1, view2, training=True)["loss"]
    gradient = tape.gradient(value, kernel.value)
    expected = ref.numeric_gradient(loss, start)
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-6)
