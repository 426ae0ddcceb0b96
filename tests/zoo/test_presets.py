import json
import pathlib

from harl_tf.zoo import Preset, list_presets
from harl_tf.zoo.presets import PresetTable

ROOT = pathlib.Path(__file__).parents[2]
ONE = Preset(
    name="harl_small",
    recipe="harl_small",
    data="my photographs",
    license="CC0",
    epochs=40,
    image_size=48,
    parameters=1_234_567,
    metrics={"kNN": 0.4321},
    megabytes=9.87,
)


def test_table_has_a_row_for_each_preset():
    head, row, *below = str(PresetTable([ONE])).splitlines()
    assert head.split() == ["name", "recipe", "epochs", "pixels", "parameters", "MB"]
    assert row.split() == ["harl_small", "harl_small", "40", "48", "1,234,567", "9.9"]
    assert below == ["    my photographs", "    kNN 0.432. CC0."]


def test_table_is_no_wider_than_a_screen():
    assert max(map(len, str(list_presets()).splitlines())) <= 100


def test_every_preset_without_an_address_is_in_the_repository():
    """And every folder there has a row."""
    here = {preset.name for preset in list_presets() if preset.url is None}
    assert here == {path.parent.name for path in (ROOT / "pretrained").glob("*/metadata.json")}


def test_rows_say_what_the_folders_say():
    for preset in list_presets():
        path = ROOT / "pretrained" / preset.name / "metadata.json"
        if path.exists():
            facts = json.loads(path.read_text(encoding="utf-8"))
            assert facts["parameters"] == preset.parameters
            assert facts["card"]["license"] == preset.license
            assert facts["card"]["metrics"] == dict(preset.metrics)
