import pytest

from mask_generation.whole_file import whole_file


def test_file_takes_its_name_at_the_end(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with whole_file(path) as file:
        file.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError("a sentence.")])
def test_failure_keeps_the_old_file_and_its_own_words(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def work():
        with whole_file(path) as file:
            file.write_text("new")
            raise error

    with pytest.raises(type(error)) as raised:
        work()
    assert raised.value is error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_to_read_something_else_is_not_blamed_on_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), whole_file(tmp_path / "table.csv"):
        (tmp_path / "other").read_text()


def test_full_disk_is_a_sentence(tmp_path):
    sentence = r"table.csv could not be written: No space left on device\.$"
    with pytest.raises(OSError, match=sentence) as error, whole_file(tmp_path / "table.csv"):
        raise OSError(28, "No space left on device")
    assert error.value.errno == 28


@pytest.mark.parametrize(
    ("target", "reason"),
    [("no/table.csv", "No such file or directory"), ("folder", "it is a folder")],
)
def test_place_that_will_not_do_is_known_before_the_work(tmp_path, target, reason):
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(OSError, match=f"{target} could not be written: {reason}"),
        whole_file(tmp_path / target),
    ):
        pytest.fail("the block was entered")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "table.csv"
    with whole_file(path) as first, whole_file(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # its block ended last
    assert list(tmp_path.iterdir()) == [path]
