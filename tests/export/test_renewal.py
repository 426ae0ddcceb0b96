import dataclasses
import json

import numpy as np
import pytest

import harl_tf
from harl_tf.export import Card, ExportError, card_of, replace_card
from tests.networks import tiny_hapicl

IMAGES = np.zeros((1, 32, 32, 3), "float32")


@pytest.fixture
def folder(tmp_path):
    card = Card(data="noise", license="CC0", image_size=48)
    return harl_tf.export_backbone(tiny_hapicl(), tmp_path / "backbone", card)


def test_card_is_replaced_and_the_network_stays(folder):
    before = harl_tf.load_backbone(folder)(IMAGES)["P3"]
    card = dataclasses.replace(card_of(folder), metrics={"knn": 0.5})
    assert card == Card(data="noise", license="CC0", metrics={"knn": 0.5}, image_size=48)
    replace_card(folder, card)
    assert card_of(folder) == card
    assert "| knn | 0.5 |" in (folder / "MODEL_CARD.md").read_text()
    assert json.loads((folder / "metadata.json").read_text())["method"]["class"] == "HAPiCL"
    np.testing.assert_array_equal(harl_tf.load_backbone(folder)(IMAGES)["P3"], before)


def test_damaged_export_gets_no_card(folder):
    (folder / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ExportError, match=r"saved_model\.pb has changed"):
        replace_card(folder, Card())
