import numpy as np
import pytest

from mask_generation.image.superpixels import measure
from mask_generation.methods.robust_background import (
    boundary_connectivity,
    geodesic_distances,
    robust_background_saliency,
)


def _square(height: int, width: int) -> np.ndarray:
    image = np.full((height, width, 3), 60, dtype=np.uint8)
    image[height // 4 : height // 2 + 1, width // 4 : width // 2 + 1] = (220, 40, 40)
    return image


def test_boundary_connectivity_matches_hand_computation_for_two_segments() -> None:
    # d = 10 Lab units at sigma 10 gives a similarity of exp(-1/2) = .60653. Both soft areas are
    # 1.60653, root 1.26749; only the first segment is on the border: 1 / 1.26749 and
    # .60653 / 1.26749.
    geodesic = np.array([[0.0, 10.0], [10.0, 0.0]])
    got = boundary_connectivity(geodesic, np.array([True, False]))
    np.testing.assert_allclose(got, [0.788961, 0.478529], atol=1e-6)


def test_boundary_connectivity_is_zero_for_unreachable_interior() -> None:
    geodesic = np.array([[0.0, np.inf], [np.inf, 0.0]])
    got = boundary_connectivity(geodesic, np.array([True, False]))
    assert got.tolist() == [1.0, 0.0]


def test_boundary_connectivity_is_root_of_count_when_all_alike_and_on_border() -> None:
    got = boundary_connectivity(np.zeros((9, 9)), np.ones(9, dtype=bool))
    np.testing.assert_allclose(got, 3.0)


def test_boundary_connectivity_rejects_shapes_that_differ() -> None:
    with pytest.raises(ValueError, match="Expected geodesic distances of shape"):
        boundary_connectivity(np.zeros((3, 3)), np.ones(2, dtype=bool))


@pytest.mark.parametrize("size", [(16, 16), (25, 25), (16, 400), (120, 160)])
def test_square_stands_out_from_border(size: tuple[int, int]) -> None:
    image = _square(*size)
    saliency = robust_background_saliency(image)
    inside = image[..., 0] == 220
    border = np.ones(size, dtype=bool)
    border[1:-1, 1:-1] = False
    assert saliency[inside].mean() > 0.6
    assert saliency[border].mean() < 0.2


def test_background_cut_in_two_is_still_background() -> None:
    image = np.full((120, 160, 3), (60, 90, 60), dtype=np.uint8)
    image[:, 70:90] = (200, 60, 60)
    saliency = robust_background_saliency(image)
    assert saliency[:, :60].mean() < saliency[:, 72:88].mean()
    np.testing.assert_allclose(saliency[:, :60].mean(), saliency[:, -60:].mean(), atol=0.1)


def test_geodesic_distances_go_over_neighbors_and_around_the_border():
    """A row of five pieces, brightness 0, 10, 10, 40, 0, none but the ends on the border. Pieces
    of one color are at distance 0, not apart; the ends are neighbors by the border; from the
    first piece to the fourth it is 10 + 0 + 30 one way, and 0 + 40 the other."""
    labels = np.pad([[1, 2, 3]], 1, constant_values=0)
    labels[:, -1] = 4
    lab = np.zeros((*labels.shape, 3))
    lab[..., 0] = np.array([0.0, 10.0, 10.0, 40.0, 0.0])[labels]
    distance = geodesic_distances(measure(labels, lab))
    np.testing.assert_allclose(distance, distance.T)
    np.testing.assert_allclose(distance[0], [0, 10, 10, 40, 0])
    np.testing.assert_allclose(distance[1], [10, 0, 0, 30, 10])
