"""Names with anything in them: printed in one line, found in any form."""

import os

import pytest
from PIL import Image

from conftest import make_photograph
from mask_generation.conversion.convert import ConversionError, convert
from mask_generation.inputs.file_names import as_text, find_file, printable
from mask_generation.inputs.sources.list_file import read_list
from mask_generation.previews.preview import preview

AWKWARD = [
    "a\nb.jpg",
    "a\rb.jpg",
    "a\x1b[2Jb.jpg",
    "a\u2028b.jpg",
    "-a.jpg",
    "a %s %20.jpg",
    " a .jpg",
    "\U0001f408.jpg",
    "<b>&.jpg",
    "x" * 246 + ".jpg",
    os.fsdecode(b"caf\xe9.jpg"),
]


@pytest.mark.parametrize("name", AWKWARD, ids=ascii)
def test_printed_name_is_one_line_without_control_characters(name):
    shown = printable(as_text(name))
    assert len(shown.splitlines()) == 1
    assert "\x1b" not in shown
    shown.encode()


@pytest.mark.parametrize("name", AWKWARD, ids=ascii)
def test_photograph_of_any_name_is_previewed(tmp_path, name):
    (tmp_path / "in").mkdir()
    Image.fromarray(make_photograph(0)).save(tmp_path / "in" / name)
    paths = preview(tmp_path / "in", tmp_path / "out", method="fast", progress=False)
    assert all(path.stat().st_size for path in paths)


def test_folder_of_any_name_is_previewed_but_records_are_written_to_utf8_only(few, tmp_path):
    folder = few.rename(tmp_path / os.fsdecode(b"caf\xe9"))
    preview(folder, tmp_path / "out", method="fast", count=1, progress=False)
    with pytest.raises(ConversionError, match=r"a path in UTF-8\. Received: .*caf\\xe9/out\."):
        convert(folder, folder / "out", progress=False)


def test_list_may_name_photographs_in_another_unicode_form(tmp_path):
    """As macOS writes names of files, and editors those in lists."""
    (tmp_path / "cafe\u0301").mkdir()
    (tmp_path / "cafe\u0301" / "e\u0301.jpg").write_bytes(b"1")
    (tmp_path / "list.txt").write_text("caf\u00e9/\u00e9.jpg\n", encoding="utf-8")
    (source,) = read_list(tmp_path / "list.txt").sources
    assert source.read() == b"1"


def test_file_is_found_as_named_before_nearly_so(tmp_path):
    for name in ("a.PNG", "a.Png"):
        (tmp_path / name).write_bytes(b"")
    assert find_file(tmp_path, ["a.Png"]) == tmp_path / "a.Png"
    assert find_file(tmp_path, ["b.png", "a.png"]) in (tmp_path / "a.PNG", tmp_path / "a.Png")
    assert find_file(tmp_path, [str(tmp_path / "a.PNG")]) == tmp_path / "a.PNG"
    assert find_file(tmp_path, ["A.png", "a.png/b.png", "a.png" * 100]) is None
