"""DeepLabV3 on bright squares: it learns, from the weights it is given, and leaves them alone."""

import keras
import numpy as np
import pytest

import harl_tf
from harl_tf.evaluation import fine_tuned_segmentation
from harl_tf.evaluation.fine_tuned import segmenter


@pytest.fixture(scope="module", params=[2, pytest.param(4, marks=pytest.mark.slow)])
def backbone(request):
    """Maps down to strides of 16 and of 32."""
    keras.utils.set_random_seed(0)
    return harl_tf.backbones.small_resnet(10, width=8, stem_stride=request.param)


def squares(count, seed, side=64):
    """Bright on dark noise, always in the left half; the first row is void."""
    random = np.random.default_rng(seed)
    labels = np.zeros((count, side, side), np.int64)
    for each in labels:
        y, x = random.integers(0, side - 32), random.integers(0, side // 2 - 24)
        each[y : y + 32, x : x + 24] = 1
    images = random.uniform(0, 80, (count, side, side, 3)) + 150 * labels[..., None]
    labels[:, 0] = 255
    return images.astype("uint8"), labels


@pytest.mark.slow
def test_it_learns_and_leaves_the_backbone_alone(backbone):
    """Without any training, half of the pixels are right and mIoU is below .5."""
    before = backbone.get_weights()
    parts = [squares(16, 0)], [squares(6, 1), squares(2, 2)]
    found = fine_tuned_segmentation(backbone, *parts, classes=2, steps=30, batch_size=8)
    assert found.mean > 0.7
    assert found.confusions.sum() == 8 * 63 * 64
    for one, other in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_training_starts_from_the_weights(backbone):
    model = segmenter._deeplab(backbone, (64, 64, 3), classes=2)
    assert model.output.shape == (None, 64, 64, 2)
    kernel = next(weight for weight in backbone.weights if len(weight.shape) == 4)
    assert any(np.array_equal(kernel, each) for each in model.get_weights())


def test_labels_are_mirrored_with_their_images():
    """A pixel's value is its label."""
    labels = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    images = labels[..., None].repeat(3, axis=-1).astype("uint8")
    examples = list(images), list(labels)
    seen = list(segmenter._mirrored(examples, seed=0).take(12).as_numpy_iterator())
    for image, label in seen:
        np.testing.assert_array_equal(image, label.repeat(3, axis=-1))
    turned = [image[0, 0, 0] > image[0, 4, 0] for image, _ in seen]
    assert 0 < sum(turned) < 12
    assert {int(image.min()) for image, _ in seen[:3]} == {0, 20, 40}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda images, labels: (images[:, :60], labels[:, :60]), r"multiples of (16|32), the str"),
        (lambda images, labels: (images, labels[:, :32]), "of one size"),
        (lambda images, labels: (images, labels + 2), "Expected true labels from 0 to 1"),
        (lambda images, labels: (images / 255, labels), "values from 0 to 255"),
    ],
)
def test_bad_input_is_named(backbone, change, words):
    data = change(*squares(2, 0))
    with pytest.raises(ValueError, match=words):
        fine_tuned_segmentation(backbone, [data], [squares(2, 1)], classes=2, steps=1)


def test_backbone_without_a_fine_map_is_named():
    image = keras.Input((None, None, 3))
    plain = keras.Model(image, {"P3": keras.layers.Conv2D(4, 8, 8)(image)})
    data = [squares(2, 0)]
    for backbone, words in (
        (plain, "Received: a Functional"),
        (harl_tf.backbones.feature_pyramid(plain), r"among them\. Received: P3"),
    ):
        with pytest.raises(ValueError, match=words):
            fine_tuned_segmentation(backbone, data, data, classes=2, steps=1)


@pytest.mark.slow
def test_void_within_the_classes_is_never_found(backbone):
    """After one step a network finds anything; each pixel that counts is of class 1."""
    images, labels = squares(2, 0)
    data = [(images, np.where(labels == 1, 1, 0))]
    found = fine_tuned_segmentation(backbone, data, data, classes=3, steps=1, void=0)
    assert found.confusions[:, :, 0].sum() == 0
    assert np.isnan(found.by_class[0])


def test_statistics_of_its_own_layers_follow_a_short_training(backbone):
    model = segmenter._deeplab(backbone, (64, 64, 3), classes=2)
    layers = [each for each in model._flatten_layers() if hasattr(each, "moving_mean")]
    assert {type(each).__name__ for each in layers} == {
        "BatchNormalization",
        "FusedBatchNormalization",
    }
    assert {round(each.momentum, 6) for each in layers} == {0.9}


@pytest.mark.slow
def test_diverged_training_is_not_scored(backbone):
    data = [squares(2, 0)]
    with pytest.raises(FloatingPointError, match="diverged: NaN or infinity in"):
        fine_tuned_segmentation(backbone, data, data, classes=2, steps=4, rate=1e30)
