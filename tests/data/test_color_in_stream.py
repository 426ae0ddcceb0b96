"""Colors changed by the stream are those that the step would have made."""

import numpy as np
import pytest

from harl_tf.data import PairedViews
from harl_tf.layers import RandomColor, byol_colors, simclr_color


@pytest.mark.parametrize("colors", [byol_colors(), (simclr_color(), RandomColor(hue=0.5))])
def test_stream_changes_colors_as_the_layers_do(records, colors):
    views = PairedViews(records, batch_size=4, image_size=24)
    plain = list(views.from_epoch(0).take(3).as_numpy_iterator())
    done = list(views.from_epoch(0, colors=colors).take(3).as_numpy_iterator())
    for batch, colored in zip(plain, done, strict=True):
        for v in (1, 2):
            expected = colors[v - 1](batch[f"view{v}"], batch[f"draws{v}"]).numpy()
            # A value next to 128 may be inverted by one and not by the other: 127.9… or 128.0….
            np.testing.assert_allclose(colored[f"colored{v}"], expected, atol=1.01)
            assert np.abs(colored[f"colored{v}"] - expected).mean() < 1e-2
            np.testing.assert_array_equal(colored[f"mask{v}"], batch[f"mask{v}"])
        assert not {"view1", "view2", "draws1", "draws2"} & colored.keys()
        assert {"seed", "window1", "window2"} <= colored.keys()
