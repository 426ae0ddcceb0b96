"""The page of pictures: whole, self-contained, safe from its own contents."""

import base64
import html.parser
import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from harl_tf import reports
from harl_tf.reports import Section, color_map, write_page


class Reader(html.parser.HTMLParser):
    """Tags, sources and texts of a page."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.names, self.texts, self.open = [], [], [], []
        self.sources, self.alternatives = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names += [name for name, _ in attrs]
        self.alternatives += [value for name, value in attrs if name == "alt"]
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (5, 7, 3)).astype(np.uint8)


def test_page_holds_its_pictures_and_nothing_from_outside(tmp_path):
    figure = io.BytesIO()
    Image.fromarray(picture(1)).save(figure, "PNG")
    section = Section("A", "text", ["one", "two"], [[picture(), "cat"]], figure.getvalue())
    path = write_page(tmp_path / "page.html", "Title", [section])
    page = Reader(path)
    assert page.open == []
    assert "script" not in page.tags
    assert "link" not in page.tags
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in path.read_text()
    prefix = "data:image/png;base64,"
    assert all(source.startswith(prefix) for source in page.sources)
    shown = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(source.removeprefix(prefix)))))
        for source in page.sources
    ]
    for result, expected in zip(shown, [picture(), picture(1)], strict=True):
        np.testing.assert_array_equal(result, expected)
    assert {"Title", "A", "text", "one", "two", "cat"} <= set(page.texts)


@pytest.mark.parametrize(
    "evil",
    [
        '"><script>alert("1")</script>',
        "' onerror='alert(1)",
        "{{ 7*7 }}{% raw %}{# #}",
        "two\nlines &amp; more",
    ],
)
def test_page_escapes_every_text(tmp_path, evil):
    """No text becomes markup, nor a template: wherever one stands, it stands as it is."""
    section = Section(evil, evil, [evil], [[evil, picture()]], b"png")
    page = Reader(write_page(tmp_path / "page.html", evil, [section]))
    plain = Section("a", "b", ["c"], [["d", picture()]], b"png")
    expected = Reader(write_page(tmp_path / "plain.html", "e", [plain]))
    assert (page.open, page.tags, page.names) == ([], expected.tags, expected.names)
    assert page.texts.count(evil) == 6
    assert page.alternatives == ["", evil]


def test_style_sheet_is_on_the_page_as_it_is(tmp_path):
    """The template engine neither escapes it nor finds anything of its own in it."""
    style = pathlib.Path(reports.__file__).with_name("page.css").read_text(encoding="utf-8")
    page = write_page(tmp_path / "page.html", "Title", []).read_text(encoding="utf-8")
    assert style in page


def test_page_keeps_other_alphabets(tmp_path):
    page = Reader(write_page(tmp_path / "page.html", "Überblick 圖", []))
    assert "Überblick 圖" in page.texts


def test_page_replaces_an_older_one_and_leaves_no_rubbish(tmp_path):
    write_page(tmp_path / "page.html", "old", [])
    path = write_page(str(tmp_path / "page.html"), "new", [Section("only")])
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert "old" not in path.read_text(encoding="utf-8")


def test_color_map_ends_middle_and_beyond():
    """Blue at -limit, white at 0, red at +limit; halfway is the mean, 255 - (255 - 33) / 2."""
    colors = color_map(np.array([[-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 9.0]]), 1, limit=2.0)[0]
    blue, white, red = [33, 102, 172], [255] * 3, [178, 24, 43]
    assert colors[[0, 1, 3, 5, 6]].tolist() == [blue, blue, white, red, red]
    np.testing.assert_allclose(colors[2], [144, 178.5, 213.5], atol=0.51)
    np.testing.assert_allclose(colors[4], [216.5, 139.5, 149], atol=0.51)


def test_color_map_cells_are_squares_of_one_color():
    picture = color_map(np.array([[1.0, -1.0], [0.0, 1.0], [0.0, 0.0]]), 30, limit=1.0)
    assert picture.shape == (30, 20, 3)
    assert picture.dtype == np.uint8
    for row in range(3):
        for column in range(2):
            cell = picture[10 * row : 10 * row + 10, 10 * column : 10 * column + 10]
            assert (cell == cell[0, 0]).all()


def test_color_map_limit_out_of_range():
    with pytest.raises(ValueError, match=r"Expected limit > 0. Received: limit=0"):
        color_map(np.zeros((2, 2)), 4, limit=0.0)
