import pathlib

import pytest

from mask_generation.inputs.sources.list_file import read_list


def _list(folder: pathlib.Path, text: str | bytes) -> pathlib.Path:
    path = folder / "list.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_paths_are_relative_to_the_list_and_names_are_the_paths(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "my cat.jpg").write_bytes(b"cat")
    (tmp_path / "dog.jpg").write_bytes(b"dog")
    absolute = str(tmp_path / "dog.jpg")
    found = read_list(_list(tmp_path, f"./b/my cat.jpg\n\n{absolute}\n"))
    assert found.classes == ()
    sources = list(found.part(0, 2))
    assert [source.name for source in sources] == ["b/my cat.jpg", absolute]
    assert [source.read() for source in sources] == [b"cat", b"dog"]
    assert [source.label for source in sources] == [-1, -1]


def test_class_after_a_tab_becomes_a_label(tmp_path):
    found = read_list(_list(tmp_path, "1.jpg\tzebra\r\n2.jpg\tant\r\n3.jpg\tzebra\r\n"))
    assert found.classes == ("ant", "zebra")
    assert [(source.name, source.label) for source in found.sources] == [
        ("1.jpg", 1),
        ("2.jpg", 0),
        ("3.jpg", 1),
    ]


def test_path_that_is_listed_twice_is_read_once(tmp_path):
    """However it is written."""
    found = read_list(_list(tmp_path, "a.jpg\n./a.jpg\nb/../a.jpg\n"))
    assert [source.name for source in found.sources] == ["a.jpg"] * 3
    assert [hasattr(source, "reason") for source in found.sources] == [False, True, True]


def test_byte_order_mark_and_bytes_that_are_not_utf8_are_read(tmp_path):
    (tmp_path / "é.jpg").write_bytes(b"1")
    found = read_list(_list(tmp_path, b"\xef\xbb\xbf\xc3\xa9.jpg\ncaf\xe9.jpg"))
    assert [source.name for source in found.sources] == ["é.jpg", "caf\\xe9.jpg"]
    assert next(found.part(0, 1)).read() == b"1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "No photograph in .*list.txt: it lists none"),
        (b"\n \n", "it lists none"),
        (b"\x89PNG\0\0", "a tar or a text file that lists .*, neither"),
        (b"a.jpg\tcat\nb.jpg\n", r"a class after a TAB .*, or for none. Received: b\.jpg without"),
    ],
)
def test_file_that_is_no_list_is_refused(tmp_path, text, sentence):
    with pytest.raises(OSError, match=sentence):
        read_list(_list(tmp_path, text))


@pytest.mark.parametrize(
    ("words", "labels", "classes"),
    [
        (("0", "2", "10"), [0, 2, 10], 11),
        (("03", "1", "3"), [3, 1, 3], 4),
        (("n02", "n10", "n1"), [0, 2, 1], 3),
        (("0", "cat", "2"), [0, 2, 1], 3),
        (("1", "5000000", "7"), [0, 1, 2], 3),  # no number of a class
    ],
)
def test_whole_numbers_are_the_labels_and_other_words_are_numbered(
    tmp_path, words, labels, classes
):
    lines = "".join(f"{i}.jpg\t{word}\n" for i, word in enumerate(words))
    found = read_list(_list(tmp_path, lines.encode()))
    assert [source.label for source in found.sources] == labels
    assert len(found.classes) == classes
