"""RetinaNet on bright squares: it learns, from the weights it is given, and leaves them alone."""

import keras
import numpy as np
import pytest
from PIL import Image

import harl_tf
from harl_tf.evaluation import Annotated, Boxes, fine_tuned_detection, share_too_small
from harl_tf.evaluation.fine_tuned import detector, retinanet
from harl_tf.evaluation.fine_tuned.squares import square

NONE = Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))


@pytest.fixture(scope="module", params=[2, pytest.param(4, marks=pytest.mark.slow)])
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
        found.append(Annotated(path, Boxes(corners, np.array([0])), (96, 64), NONE))
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
    monkeypatch.setattr(retinanet, "fresh_heads", lambda model, seed: None)
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
    model = retinanet.retinanet(backbone, 2, 64, seed=0)
    kernel = next(weight for weight in backbone.weights if len(weight.shape) == 4)
    assert any(np.array_equal(kernel, each) for each in model.get_weights())


@pytest.mark.parametrize(
    ("size", "levels"),
    [(96, 3), (160, 4), (256, 5), (800, 5), pytest.param(1600, 5, marks=pytest.mark.slow)],
)
def test_largest_anchor_is_as_large_as_the_square_if_there_is_a_level_for_it(size, levels):
    """Of P5 it has 32 · 2 · 2^(2/3) = 102 pixels, of P6 203, of P7 406, from 512 pixels on twice
    as many."""
    model = retinanet.retinanet(harl_tf.backbones.small_resnet(10, width=8), 1, size, seed=0)
    assert len(model.backbone.pyramid_outputs) == levels
    assert set(model(np.zeros((1, size, size, 3)))) == {"bbox_regression", "cls_logits"}


def test_boxes_are_scaled_and_mirrored_with_their_photographs(photographs):
    """The bright square is where its box is, within the blur of scaling: 40 pixels of 96 are 20 of
    48. The photograph's 32 rows are above 16 black ones."""
    squares = [square(each, 48) for each in photographs]
    batches = detector._batches(squares, batch_size=20, seed=0)
    images, boxes = next(iter(batches.as_numpy_iterator()))
    assert boxes["boxes"].shape == (20, 1, 4)
    known = {tuple(each.boxes.corners[0]) for each in squares}
    mirrored = 0
    for image, (corners,) in zip(images, boxes["boxes"], strict=True):
        left, top, right, bottom = np.round(corners).astype(int)
        assert (right - left, bottom - top) == (20, 20)
        assert image[top + 1 : bottom - 1, left + 1 : right - 1].min() > 120
        assert image[: max(top - 2, 0)].max(initial=0) < 120
        assert image[:, : max(left - 2, 0)].max(initial=0) < 120
        assert image[:, right + 2 :].max(initial=0) < 120
        assert not image[32:].any()
        mirrored += tuple(corners) not in known
    assert 3 < mirrored < 17


def test_found_boxes_are_those_of_the_photograph_and_end_at_its_edges(photographs):
    """Twice as large; 96 by 64 pixels."""
    found = Boxes(np.array([[10.0, 5.0, 20.0, 8.0], [-3.0, 10.0, 48.0, 48.0]]), np.array([0, 0]))
    back = square(photographs[0], 48).back(found)
    assert back.corners.tolist() == [[20, 10, 40, 16], [0, 20, 96, 64]]


def test_photograph_that_is_stored_on_its_side_is_the_one_that_was_annotated(tmp_path, photographs):
    """EXIF orientation 6: a quarter to the right makes it upright."""
    upright = np.asarray(Image.open(photographs[0].path))
    turned, exif = Image.fromarray(np.rot90(upright)), Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    each = photographs[0]._replace(path=tmp_path / "turned.png")
    np.testing.assert_array_equal(square(each, 96).pixels, square(photographs[0], 96).pixels)
    with pytest.raises(ValueError, match=r"the 64×64 pixels that its boxes were"):
        square(each._replace(size=(64, 64)), 96)


def test_boxes_that_no_anchor_reaches_are_counted(photographs):
    """Boxes of 40 pixels in 96: 13.3 in 32, where 11.3 are needed; 10 in 24."""
    assert share_too_small(photographs, 32) == 0
    assert share_too_small(photographs, 24) == 1


@pytest.mark.slow
def test_diverged_training_is_not_scored(backbone, photographs):
    with pytest.raises(FloatingPointError, match="diverged: NaN or infinity in"):
        fine_tuned_detection(
            backbone, photographs[:2], photographs[2:], 1, size=32, steps=4, rate=1e30, batch_size=2
        )


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
    plain = keras.Model(image, {"P4": keras.layers.Conv2D(4, 16, 16)(image)})
    for backbone, words in (
        (plain, "Received: a Functional"),
        (harl_tf.backbones.feature_pyramid(plain), "P5. Received: P4, P5"),
    ):
        with pytest.raises(ValueError, match=words):
            fine_tuned_detection(backbone, photographs, photographs, 1, size=64, steps=1)
