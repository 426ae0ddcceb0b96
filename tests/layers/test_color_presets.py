"""The published strengths and probabilities."""

import pytest

from harl_tf.layers import byol_colors, moco_color, simclr_color


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        # SimCLR, appendix A: strength 1 is 0.8, 0.8, 0.8, 0.2; blurred every other time.
        (simclr_color, (0.8, 0.8, 0.8, 0.2, 0.8, 0.2, 0.5, 0.0)),
        # MoCo v2's release: ColorJitter(0.4, 0.4, 0.4, 0.1).
        (moco_color, (0.4, 0.4, 0.4, 0.1, 0.8, 0.2, 0.5, 0.0)),
        # BYOL, table 6, the columns T and T'.
        (lambda: byol_colors()[0], (0.4, 0.4, 0.2, 0.1, 0.8, 0.2, 1.0, 0.0)),
        (lambda: byol_colors()[1], (0.4, 0.4, 0.2, 0.1, 0.8, 0.2, 0.1, 0.2)),
    ],
    ids=["simclr", "moco", "byol_first", "byol_second"],
)
def test_preset_has_the_published_numbers(preset, expected):
    layer = preset()
    found = tuple(layer.get_config()[key] for key in KEYS)
    assert found == expected


KEYS = (
    "brightness",
    "contrast",
    "saturation",
    "hue",
    "jitter_probability",
    "grayscale_probability",
    "blur_probability",
    "solarize_probability",
)
