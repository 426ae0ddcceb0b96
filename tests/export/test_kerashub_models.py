"""Exported backbones in KerasHub's segmenter and detector begin with the weights, and learn."""

import keras
import keras_hub
import numpy as np
import pytest

import harl_tf
from tests.export.networks import hub_resnet

SIDE = 64


@pytest.fixture(scope="module", params=[(1, 2, 2, 2), (1, 2, 2, 1)], ids=["stride 32", "stride 16"])
def backbone(request, tmp_path_factory):
    """A loaded export, and the kernel of its first convolution."""
    model = harl_tf.SimSiam(hub_resnet(request.param), 16, 8)
    folder = harl_tf.export_backbone(model, tmp_path_factory.mktemp("run") / "backbone")
    return folder, first_kernel(model.backbone)


def first_kernel(network) -> np.ndarray:
    """The only one that sees three channels."""
    (kernel,) = (each for each in network.weights if tuple(each.shape) == (7, 7, 3, 64))
    return kernel.numpy()


def pictures():
    """Bright squares on noise: images, masks, boxes."""
    random = np.random.default_rng(0)
    images = random.uniform(0, 80, (20, SIDE, SIDE, 3)).astype("float32")
    masks = np.zeros((20, SIDE, SIDE, 1), "int32")
    corners = np.zeros((20, 1, 4), "float32")
    for number in range(20):
        x, y = random.integers(0, SIDE - 24, 2)
        images[number, y : y + 24, x : x + 24] += 170
        masks[number, y : y + 24, x : x + 24] = 1
        corners[number, 0] = x, y, x + 24, y + 24
    return images, masks, {"boxes": corners, "labels": np.zeros((20, 1), "int64")}


def falls(history) -> bool:
    losses = history.history["loss"]
    return np.isfinite(losses).all() and losses[-1] < 0.8 * losses[0]


@pytest.mark.slow
def test_segmenter_begins_with_the_weights_and_learns(backbone):
    folder, kernel = backbone
    encoder = harl_tf.load_backbone(folder)
    last = list(encoder.output)[-1]
    model = keras_hub.models.DeepLabV3ImageSegmenter(
        keras_hub.models.DeepLabV3Backbone(
            image_encoder=encoder,
            low_level_feature_key="P2",
            spatial_pyramid_pooling_key=last,
            upsampling_size=2 ** int(last[1]) // 4,
            dilation_rates=[1, 2, 3],
            image_shape=(SIDE, SIDE, 3),
        ),
        num_classes=2,
        activation="softmax",
    )
    images, masks, _ = pictures()
    np.testing.assert_array_equal(first_kernel(model), kernel)
    assert model(images[:2]).shape == (2, SIDE, SIDE, 2)
    model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    assert falls(model.fit(images, masks, batch_size=10, epochs=4, verbose=0))
    assert not np.array_equal(first_kernel(model), kernel)


@pytest.mark.slow
def test_detector_begins_with_the_weights_and_learns(backbone):
    folder, kernel = backbone
    model = keras_hub.models.RetinaNetObjectDetector(
        keras_hub.models.RetinaNetBackbone(
            harl_tf.load_backbone(folder),
            **{"min_level": 3, "max_level": 5, "use_p5": False},
            image_shape=(SIDE, SIDE, 3),
        ),
        num_classes=1,
        bounding_box_format="xyxy",
    )
    images, _, boxes = pictures()
    np.testing.assert_array_equal(first_kernel(model), kernel)
    # Nine anchors for each of 8×8, 4×4 and 2×2 cells.
    assert model(images[:2])["cls_logits"].shape == (2, 9 * (64 + 16 + 4), 1)
    model.compile(keras.optimizers.AdamW(1e-3))
    assert falls(model.fit(images, boxes, batch_size=10, epochs=4, verbose=0))
    assert not np.array_equal(first_kernel(model), kernel)


@pytest.mark.slow
def test_loaded_backbone_learns_on_two_replicas(backbone, two_replicas):
    """With AdamW: every weight and every statistic moves."""
    folder, _ = backbone
    with two_replicas.scope():
        encoder = harl_tf.load_backbone(folder)
        images = keras.Input((SIDE, SIDE, 3))
        pooled = keras.layers.GlobalAveragePooling2D()(list(encoder(images).values())[-1])
        model = keras.Model(images, keras.layers.Dense(2)(pooled))
        model.compile(keras.optimizers.AdamW(1e-3), "mse")
    before = encoder.get_weights()
    model.fit(pictures()[0], np.zeros((20, 2)), batch_size=10, epochs=5, verbose=0)
    assert all(map(lambda old, new: np.any(old != new), before, encoder.get_weights()))
