import shutil

import pytest

from mask_generation.__main__ import main, parse_arguments


@pytest.fixture
def folder(records, tmp_path):
    return shutil.copytree(records, tmp_path / "records")


def command(capsys, *line):
    code = main(parse_arguments(["mask_generation", "verify", *map(str, line)]))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_damage_is_told_mended_and_gone(photographs, folder, capsys):
    """The records were made of these photographs, five to a shard."""
    assert command(capsys, folder, "--deep") == (
        0,
        "Complete: all records (12) in all shards (3).\n",
        "",
    )
    path = folder / "photos-train.tfrecord-00001-of-00003"
    path.write_bytes(path.read_bytes()[:-1])
    code, out, err = command(capsys, folder)
    assert (code, out) == (1, "")
    assert f"error: {path} is damaged at record 4" in err
    code, out, err = command(capsys, folder, "--quarantine")
    assert (code, out) == (
        0,
        "Complete but for 1 in quarantine.json: all records (7) in the other shards (2).\n",
    )
    assert err.startswith(f"in quarantine: {path.name} is damaged at record 4")
    code, out, err = command(capsys, folder, "--repair", photographs, "--workers", 1)
    assert (code, out) == (0, "Complete: all records (12) in all shards (3).\n")
    assert f"made again: {path.name}\n" in err


def test_one_thing_at_a_time(capsys, folder):
    with pytest.raises(SystemExit):
        command(capsys, folder, "--deep", "--quarantine")
    assert "not allowed with" in capsys.readouterr().err
