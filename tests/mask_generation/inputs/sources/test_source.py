import pickle

import pytest

from mask_generation.inputs.folder import FileSource
from mask_generation.inputs.reading import UnusableImageError
from mask_generation.inputs.sources.source import (
    InMemory,
    Listed,
    Unreadable,
    file_mark,
    without_repetition,
)


def _file(name: str, label: int = -1) -> FileSource:
    return FileSource(f"/nowhere/{name}", name, label)


def test_part_holds_the_photographs_between():
    listed = Listed(tuple(map(_file, "abcde")), (), ())
    assert len(listed) == 5
    assert [source.name for source in listed.part(1, 3)] == ["b", "c"]
    assert list(listed.part(5, 9)) == []


def test_second_of_a_name_cannot_be_read_and_keeps_its_place():
    first, second, third = without_repetition([_file("a", 0), _file("b"), _file("a", 1)])
    assert (first, second) == (_file("a", 0), _file("b"))
    assert (third.name, third.label) == ("a", 1)
    with pytest.raises(UnusableImageError, match="its name occurs before"):
        third.read()


def test_marks_change_with_name_label_and_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12")
    seen = {file_mark(path), file_mark(tmp_path / "b")}
    path.write_bytes(b"123")
    seen.add(file_mark(path))
    assert len(seen) == 3
    lists = [Listed((source,), (), (str(path),)) for source in (_file("a"), _file("b"))]
    lists.append(Listed((_file("a", 1),), (), (str(path),)))
    lists.append(Listed((_file("a"),), (), (str(tmp_path / "b"),)))
    assert len({tuple(listed.marks()) for listed in lists}) == 4


@pytest.mark.parametrize(
    "source", [_file("a", 2), InMemory(b"jpeg", "a", 0, b"png"), Unreadable("a", 1, "why")]
)
def test_source_goes_to_other_processes(source):
    assert pickle.loads(pickle.dumps(source)) == source
