"""Conversions that are killed; ``killed_conversion.py`` does so by command, more often.

Single workers are killed by command only: in conversions short enough for a test, few of them have
begun to compute before the end.
"""

import numpy as np
import pytest
from PIL import Image

from conftest import make_photograph
from tests.integration.killed_conversion import killed


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Photographs that take two workers some twenty seconds."""
    folder = tmp_path_factory.mktemp("many")
    for index in range(300):
        image = Image.fromarray(make_photograph(index)).resize((320, 240))
        image.save(folder / f"{index:03d}.jpg")
    assert np.asarray(image).shape == (240, 320, 3)
    return folder


@pytest.mark.slow
def test_records_are_those_of_a_conversion_that_nobody_killed(many, tmp_path):
    outcome = killed(many, tmp_path / "run", 4)
    assert outcome.kills == 4
    assert outcome.different == []
