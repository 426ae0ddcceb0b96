import pytest

from mask_generation.inputs.labels.class_names import read_classes


@pytest.mark.parametrize(
    "data", [b"dog\ncat", b"dog\ncat\n", b"\xef\xbb\xbfdog\r\ncat\r\n", b" dog \n\tcat\n"]
)
def test_line_number_is_the_label(tmp_path, data):
    (tmp_path / "classes.txt").write_bytes(data)
    assert read_classes(tmp_path / "classes.txt") == ("dog", "cat")
    assert read_classes(["dog", "cat"]) == ("dog", "cat")


def test_name_that_is_not_utf8_is_written_as_that_of_a_folder(tmp_path):
    (tmp_path / "classes.txt").write_bytes(b"caf\xe9\n")
    assert read_classes(tmp_path / "classes.txt") == ("caf\\xe9",)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"dog\n\ncat\n", "one name per line in .*classes.txt. Received: nothing in line 2"),
        (b"", "one name per line .* nothing in line 1"),
        (b"dog\ncat\ndog\n", "each class once in .*classes.txt. Received: dog as number 0 and 2"),
        (b"\x89PNG\0", r"one name per line .* Received: \\x89PNG\\x00 in line 1"),
        (None, "There is no file .*classes.txt with the names of classes"),
    ],
)
def test_file_that_is_no_list_of_classes_is_refused(tmp_path, data, sentence):
    if data is not None:
        (tmp_path / "classes.txt").write_bytes(data)
    with pytest.raises(OSError, match=sentence):
        read_classes(tmp_path / "classes.txt")
