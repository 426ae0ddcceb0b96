"""RetinaNet on bright squares: it learns, from the weights it is given, and leaves them alone."""

import keras
import numpy as np
import pytest
from PIL import Image

import harl_tf
from harl_tf.evaluation import Annotated, Boxes, fine_tuned_detection
from harl_tf.evaluation.fine_tuned import detector

NONE = Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))


@pytest.fixture(scope="module", params=[2, 4])
def backbone(request):
    """Maps down to strides of 16 and of 32."""
    keras.utils.set_random_seed(0)
    return harl_tf.backbones.small_resnet(10, width=8, stem_stride=request.param)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """One bright square each on dark noise, in photographs of 96×64 pixels."""
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    found = []
    for number in range(20):
        pixels = random.uniform(0, 80, (64, 96, 3))
        left, top = random.integers(0, 56), random.integers(0, 24)
        pixels[top : top + 40, left : left + 40] += 150
        path = folder / f"{number}.png"
        Image.fromarray(pixels.astype("uint8")).save(path)
        corners = np.array([[left, top, left + 40, top + 40]], np.float32)
        found.append(Annotated(path, Boxes(corners, np.array([0])), NONE))
    return found


@pytest.mark.slow
def test_it_learns_and_leaves_the_backbone_alone(backbone, photographs):
    """A network that knows nothing finds none of them."""
    before = backbone.get_weights()
    found = fine_tuned_detection(backbone, photographs[:14], photographs[14:], 1, size=64, steps=80)
    assert found.ap50 > 0.5
    assert found.images == 6
    for one, other in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_with_the_heads_of_keras_hub_it_does_not(photographs, monkeypatch):
    """The same as above. If this fails, KerasHub has been mended: leave ``fresh_heads`` out."""
    monkeypatch.setattr(detector, "fresh_heads", lambda model, seed: None)
    keras.utils.set_random_seed(0)
    backbone = harl_tf.backbones.small_resnet(10, width=8)
    found = fine_tuned_detection(backbone, photographs[:14], photographs[14:], 1, size=64, steps=80)
    assert found.ap50 < 0.1


@pytest.mark.slow
def test_last_batch_may_be_smaller(backbone, photographs):
    found = fine_tuned_detection(
        backbone, photographs[:3], photographs[3:7], 1, size=32, steps=1, batch_size=3
    )
    assert 0 <= found.ap <= found.ap50 <= 1
    assert found.images == 4


def test_training_starts_from_the_weights(backbone):
    model = detector._retinanet(harl_tf.backbones.feature_pyramid(backbone), 2, 64)
    kernel = next(weight for weight in backbone.weights if len(weight.shape) == 4)
    assert any(np.array_equal(kernel, each) for each in model.get_weights())


@pytest.mark.parametrize(("size", "levels"), [(160, 3), (256, 4), (800, 5), (1600, 5)])
def test_largest_anchor_is_as_large_as_the_square_if_there_is_a_level_for_it(size, levels):
    """Of P5 it has 32 · 4 · 2^(2/3) = 203 pixels, of P6 406, of P7 813."""
    backbone = harl_tf.backbones.small_resnet(10, width=8)
    model = detector._retinanet(backbone, 1, size)
    assert len(model.backbone.pyramid_outputs) == levels


def test_boxes_are_scaled_and_mirrored_with_their_photographs(photographs):
    """The bright square is where its box is, within the blur of scaling."""
    batches = detector._batches(photographs, size=48, batch_size=20, seed=0)
    images, boxes = next(iter(batches.as_numpy_iterator()))
    assert boxes["boxes"].shape == (20, 1, 4)
    lefts = set()
    for image, (corners,) in zip(images, boxes["boxes"], strict=True):
        left, top, right, bottom = np.round(corners).astype(int)
        assert (right - left, bottom - top) == (20, 20)
        assert image[top + 1 : bottom - 1, left + 1 : right - 1].min() > 120
        assert image.sum() == pytest.approx(
            image[top:bottom, left:right].sum() + 40 * 3 * (32 * 48 - 400), rel=0.1
        )
        lefts.add(left)
    assert len(lefts) > 5


@pytest.mark.parametrize(
    ("size", "labels", "words"),
    [
        (40, [0], "Expected a size that is a multiple of 32"),
        (64, [1], "Expected boxes to train on with labels from 0 to 0. Received: labels from 1"),
        (64, [], "Received: no box"),
    ],
)
def test_bad_input_is_named(backbone, photographs, size, labels, words):
    corners = np.zeros((len(labels), 4), np.float32)
    wrong = [photographs[0]._replace(boxes=Boxes(corners, np.array(labels, np.int64)))]
    with pytest.raises(ValueError, match=words):
        fine_tuned_detection(backbone, wrong, photographs, 1, size=size, steps=1)


def test_backbone_without_the_map_is_named(photographs):
    image = keras.Input((None, None, 3))
    backbone = keras.Model(image, {"P4": keras.layers.Conv2D(4, 16, 16)(image)})
    with pytest.raises(ValueError, match=r"P3\. Received: P4"):
        fine_tuned_detection(backbone, photographs, photographs, 1, size=64, steps=1)
