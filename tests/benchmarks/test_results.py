"""Tables on disk."""

import pytest

from benchmarks.harness import results


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """In the place of the one that ``--results`` names."""
    monkeypatch.setattr(results, "path", lambda name: tmp_path / name)
    return tmp_path


def test_table_that_is_not_there_has_no_rows():
    assert results.read("speed.csv") == []


def test_rows_are_read_as_they_were_written(capsys):
    results.write("speed.csv", [{"who": "ours, and theirs", "ms": 1.5}, {"who": "", "ms": 2}])
    assert results.read("speed.csv") == [
        {"who": "ours, and theirs", "ms": "1.5"},
        {"who": "", "ms": "2"},
    ]
    assert capsys.readouterr().out == "ours, and theirs\t1.5\n\t2\n"


def test_append_goes_on_with_a_table_and_begins_one(folder):
    """Whatever its ends of lines are."""
    (folder / "old.csv").write_bytes(b"who,ms\r\nours,1\r\n")
    for name in ("old.csv", "new.csv"):
        results.append(name, {"who": "theirs", "ms": 2})
    assert [row["who"] for row in results.read("old.csv")] == ["ours", "theirs"]
    assert (folder / "new.csv").read_text() == "who,ms\ntheirs,2\n"


def test_older_table_stays_until_there_is_a_row():
    results.write("speed.csv", [{"who": "ours"}])

    def rows():
        raise RuntimeError("none")
        yield {}

    with pytest.raises(RuntimeError, match="none"):
        results.write("speed.csv", rows())
    assert results.read("speed.csv") == [{"who": "ours"}]


def test_interrupted_measurement_keeps_the_rows_that_were_done():
    def rows():
        yield {"who": "ours"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.write("speed.csv", rows())
    assert results.read("speed.csv") == [{"who": "ours"}]
