import pathlib

import numpy as np
from PIL import Image

from harl_tf.data.manifest import read_manifest
from mask_generation.__main__ import main, parse_arguments
from mask_generation.conversion import plan


def _run(*line: str | pathlib.Path) -> int:
    return main(parse_arguments(["mask_generation", "convert", *map(str, line)]))


def test_every_option_reaches_the_converter(few, tmp_path, capsys):
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.fromarray(np.eye(60, 80, dtype=np.uint8)).save(masks / "0.png")
    Image.fromarray(np.ones((60, 80), np.uint8)).save(masks / "1.png")
    line = [few, tmp_path / "out", "--masks", masks, "--also", "grid,robust_background"]
    line += ["--flagged", "keep", "--per-shard", "2", "--longest-side", "40", "--workers", "1"]
    assert _run(*line) == 0
    printed = capsys.readouterr()
    assert printed.out == (f"2 records, 1 flagged, 1 left out: {tmp_path / 'out'}\n")
    assert "left out: 2.png: no mask: there is no mask file of its name\n" in printed.err
    manifest = read_manifest(tmp_path / "out")
    assert manifest.method == {"name": "files", "flagged": "keep", "longest_side": 40}
    assert [mask.name for mask in manifest.masks] == ["mask", "grid", "robust_background"]
    assert [shard.records for shard in manifest.shards] == [2, 0]


def test_interrupt_says_what_is_kept(few, tmp_path, monkeypatch, capsys):
    write = plan.write_shard

    def stopping(path, results):
        if "00001" in path.name:
            raise KeyboardInterrupt
        return write(path, results)

    monkeypatch.setattr(plan, "write_shard", stopping)
    assert _run(few, tmp_path / "out", "--per-shard", "1", "--workers", "1") == 130
    said = capsys.readouterr().err.splitlines()[-1]
    partial = tmp_path / "out.partial"
    assert said == (
        f"interrupted; 1 of 3 shards are finished and kept in {partial}; the same command "
        "continues from there."
    )
