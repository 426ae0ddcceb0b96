import numpy as np
import pytest

from mask_generation.foreground import foreground_mask
from mask_generation.methods import METHODS
from mask_generation.methods.robust_background import robust_background_saliency
from mask_generation.methods.thresholded import Thresholded


def _disc_on_texture(height: int = 300, width: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc on a ground of blotchy noise, and its true mask."""
    rng = np.random.default_rng(3)
    blotches = rng.integers(60, 110, (height // 10 + 1, width // 10 + 1, 3))
    ground = blotches.repeat(10, axis=0).repeat(10, axis=1)[:height, :width]
    image = ground + rng.integers(-10, 11, (height, width, 3))
    rows, columns = np.mgrid[:height, :width]
    radius = min(height, width) / 4
    disc = (rows - 0.45 * height) ** 2 + (columns - 0.6 * width) ** 2 < radius**2
    image[disc] = (235, 205, 60)
    return image.astype(np.uint8), disc


def _noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _blotches(height: int, width: int) -> np.ndarray:
    """Noise whose neighbouring pixels are alike, as in a photograph."""
    return _noise(height // 5 + 1, width // 5 + 1).repeat(5, 0).repeat(5, 1)[:height, :width]


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_disc_is_found_on_textured_ground() -> None:
    image, disc = _disc_on_texture()
    result = foreground_mask(image)
    assert _iou(result.mask == 1, disc) > 0.8
    assert result.flag is None
    assert result.quality > 0.7
    assert result.foreground_share == pytest.approx(result.mask.mean())


def test_result_has_input_size_and_types() -> None:
    image, _ = _disc_on_texture(190, 333)
    result = foreground_mask(image)
    assert result.mask.shape == result.saliency.shape == (190, 333)
    assert result.mask.dtype == np.uint8
    assert result.saliency.dtype == np.float32
    assert set(np.unique(result.mask)) <= {0, 1}
    assert result.saliency.min() >= 0.0
    assert result.saliency.max() <= 1.0
    assert 0.0 <= result.quality <= 1.0


def test_two_calls_give_equal_results() -> None:
    image, _ = _disc_on_texture()
    first, second = foreground_mask(image), foreground_mask(image.copy())
    np.testing.assert_array_equal(first.mask, second.mask)
    np.testing.assert_array_equal(first.saliency, second.saliency)
    assert (first.quality, first.flag) == (second.quality, second.flag)


def test_memory_order_does_not_matter() -> None:
    image, _ = _disc_on_texture()
    flipped = image[:, ::-1]
    first, second = foreground_mask(flipped), foreground_mask(np.ascontiguousarray(flipped))
    np.testing.assert_array_equal(first.mask, second.mask)


def test_small_image_is_not_enlarged() -> None:
    seen = []

    def method(rgb: np.ndarray) -> np.ndarray:
        seen.append(rgb.shape)
        return np.zeros(rgb.shape[:2], dtype=np.float32)

    foreground_mask(_blotches(25, 40), method=Thresholded(method))
    foreground_mask(_blotches(100, 200), method=Thresholded(method, work_size=50))
    assert seen == [(25, 40, 3), (25, 50, 3)]


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15), (15, 15)])
def test_small_side_gives_empty_mask(size: tuple[int, int]) -> None:
    result = foreground_mask(_noise(*size))
    assert result.flag == "image too small"
    assert result.mask.shape == size
    assert not result.mask.any()
    assert not result.saliency.any()
    assert result.quality == 0.0


@pytest.mark.parametrize("size", [(16, 16), (16, 400), (64, 64)])
def test_texture_gives_valid_result_for_every_size(size: tuple[int, int]) -> None:
    result = foreground_mask(_blotches(*size))
    assert result.mask.shape == result.saliency.shape == size
    assert np.isfinite(result.saliency).all()
    assert 0.0 <= result.quality <= 1.0


@pytest.mark.parametrize("size", [(25, 25), (160, 160), (700, 900)])
def test_noise_gives_empty_mask_at_any_size(size: tuple[int, int]) -> None:
    result = foreground_mask(_noise(*size))
    assert result.flag == "noise"
    assert not result.mask.any()
    assert result.quality == 0.0


def test_stripes_are_no_noise_though_alike_in_one_direction_only() -> None:
    stripes = np.random.default_rng(0).integers(0, 256, (60, 1, 3), dtype=np.uint8)
    assert foreground_mask(stripes.repeat(80, axis=1)).flag != "noise"


@pytest.mark.parametrize("size", [(16, 16), (300, 400)])
def test_flat_gray_gives_empty_mask(size: tuple[int, int]) -> None:
    result = foreground_mask(np.full((*size, 3), 128, dtype=np.uint8))
    assert result.flag == "flat image"
    assert not result.mask.any()
    assert result.quality == 0.0


@pytest.mark.parametrize(("step", "flat"), [(7, True), (8, False)])
def test_channel_range_decides_flatness(step: int, flat: bool) -> None:
    image = np.full((60, 80, 3), 128, dtype=np.uint8)
    image[20:40, 30:50, 1] += step
    assert (foreground_mask(image).flag == "flat image") is flat


@pytest.mark.parametrize(
    ("ones", "reason"),
    [
        (1, "almost no foreground"),
        (199, "almost no foreground"),
        (200, None),
        (18_000, None),
        (18_001, "almost all foreground"),
    ],
)
def test_share_outside_range_is_reported_and_mask_kept(
    monkeypatch: pytest.MonkeyPatch, ones: int, reason: str | None
) -> None:
    def method(rgb: np.ndarray) -> np.ndarray:
        saliency = np.zeros(rgb.shape[:2], dtype=np.float32)
        saliency.flat[:ones] = 1.0
        return saliency

    monkeypatch.setitem(METHODS, "fixed", Thresholded(method))
    result = foreground_mask(_blotches(125, 160), method="fixed")
    assert result.flag == reason
    assert int(result.mask.sum()) == ones


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros((20, 20, 4), dtype=np.uint8), r"of shape .* Received shape: \(20, 20, 4\)"),
        (np.zeros((20, 20), dtype=np.uint8), r"of shape .* Received shape: \(20, 20\)"),
        (np.zeros((0, 20, 3), dtype=np.uint8), r"at least one pixel"),
        (np.zeros((20, 20, 3), dtype=np.float32), r"as uint8 .* float32"),
    ],
    ids=["rgba", "gray", "empty", "float"],
)
def test_other_images_are_rejected_with_a_sentence(image: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        foreground_mask(image)


def test_list_is_rejected_with_a_sentence() -> None:
    with pytest.raises(TypeError, match=r"as a numpy array of uint8\. Received: a list"):
        foreground_mask([[[0, 0, 0]]])  # type: ignore[arg-type]


def test_unknown_method_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"method in .*'robust_background'.* Received: 'magic'"):
        foreground_mask(_noise(20, 20), method="magic")


@pytest.mark.parametrize("work_size", [15, 160.0])
def test_bad_work_size_is_rejected(work_size: float) -> None:
    with pytest.raises(ValueError, match="Expected work_size as a whole number"):
        Thresholded(robust_background_saliency, work_size=work_size)  # type: ignore[arg-type]
