"""The gallery's page: whole, self-contained, safe from file names, and what it says is so."""

import base64
import html.parser
import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from mask_generation import previews
from mask_generation.left_out import LeftOut
from mask_generation.previews.page import render_page
from mask_generation.previews.pictures import Numbers, Picture, Summary

VOID = {"meta", "img", "rect", "line", "input"}
EVIL = [
    '"><script>alert(1)</script>',
    "' onerror='alert(1)",
    "{{ 7*7 }}{% raw %}{# #}",
    "two\nlines &amp; more",
]


class Reader(html.parser.HTMLParser):
    """Elements with their attributes, and the texts within each kind."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.texts = [], [], {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def picture(name="cat.jpg", numbers=Numbers(0, 0.9, 0.25, ""), saliency=True):  # noqa: B008
    image = np.full((20, 40, 3), 100, np.uint8)
    mask = np.zeros((20, 40), np.uint8)
    known = np.full((20, 40), 0.5, np.float32) if saliency else None
    return Picture(name, numbers, image, mask, known)


def summary(count=3, flag=""):
    return Summary([Numbers(index, 0.25 * index, 0.5, flag) for index in range(count)])


def render(pictures=(), of=None, title="photos", method="fast"):
    page = render_page(title, method, of or summary(), list(pictures))
    return Reader(page), page


def test_page_is_whole_and_needs_nothing_from_outside():
    reader, page = render([picture(), picture("dog.jpg")])
    assert reader.open == []
    assert not {"link", "iframe", "object", "base"} & {tag for tag, _ in reader.elements}
    sources = [found["src"] for found in reader.all("img")]
    assert len(sources) == 6
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    for source in sources:
        page = page.replace(source, "")
    assert not any(word in page for word in ("href", "http:", "https:", "url(", "@import", "fetch"))
    policy = next(found for found in reader.all("meta") if "http-equiv" in found)
    assert policy["content"].startswith("default-src 'none'; img-src data:;")


@pytest.mark.parametrize("saliency", [True, False])
def test_pictures_are_photograph_saliency_if_known_and_mask(saliency):
    """A grey of 100, a saliency of a half, and the grey dimmed: 100 · .35 + 255 · .25 = 98."""
    reader, page = render([picture(saliency=saliency)])
    expected = {"Photograph": 100, "Saliency": 128, "Mask": 98}
    if not saliency:
        del expected["Saliency"]
    found = reader.all("img")
    assert [each["alt"] for each in found] == [f"{what} of cat.jpg" for what in expected]
    for each, gray in zip(found, expected.values(), strict=True):
        jpeg = base64.b64decode(each["src"].partition(",")[2])
        pixels = np.asarray(Image.open(io.BytesIO(jpeg)))
        assert pixels.shape == (int(each["height"]), int(each["width"]), 3) == (128, 256, 3)
        assert abs(int(pixels[64, 128, 0]) - gray) <= 2
    assert "Quality 0.90 · 25.0 % foreground" in page


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_style_sheet_and_script_are_on_the_page_as_they_are(name):
    """The template engine neither escapes them nor finds anything of its own in them."""
    text = pathlib.Path(previews.__file__).with_name(name).read_text(encoding="utf-8")
    assert text in render([picture()])[1]


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_markup(evil):
    """Nor a template: wherever a name, flag, reason or method stands, it stands as it is."""
    numbers = Numbers(0, 0.5, 0.5, evil)
    of = Summary([numbers, LeftOut(evil, evil)])
    reader, page = render([picture(evil, numbers)], of, title=evil, method=evil)
    plain, _ = render([picture("a", Numbers(0, 0.5, 0.5, "b"))], of)
    assert reader.open == []
    assert [tag for tag, _ in reader.elements] == [tag for tag, _ in plain.elements]
    assert "<script>alert" not in page
    assert {name for _, found in reader.elements for name in found} == {
        name for _, found in plain.elements for name in found
    }
    (card,) = (found for found in reader.all("li") if found.get("class") == "card")
    assert (card["data-name"], card["data-flag"]) == (evil, evil)
    assert f"={evil}" in [found.get("value") for found in reader.all("option")]
    assert [found["alt"] for found in reader.all("img")] == [
        f"{caption} of {evil}" for caption in ("Photograph", "Saliency", "Mask")
    ]
    assert f"Masks of {evil}" in reader.texts["title"]
    assert f"Masks of {evil}" in reader.texts["h1"]
    assert reader.texts["p"][0].startswith(f"Method: {evil}. 1 photograph of")
    for tag, text in (("h3", evil), ("span", evil), ("th", evil), ("li", f"{evil}: {evil}")):
        assert text in reader.texts[tag]


def test_histogram_is_of_all_photographs_not_of_those_shown():
    """Nine with 50 %, three with none: the tallest bar is 110 high, the other a third."""
    numbers = [Numbers(index, 1.0, 0.5 * (index < 9), "") for index in range(12)]
    reader, page = render([picture()], Summary(numbers))
    bars = [float(found["height"]) for found in reader.all("rect")]
    assert bars == pytest.approx([110 / 3, 110], abs=0.05)
    titles = [text for text in reader.texts["title"] if ":" in text]
    assert titles == ["0 to 5 %: 3", "50 to 55 %: 9"]
    assert '<tr><th scope="row">50 to 55 %</th><td>9</td></tr>' in page
    assert page.count('<th scope="row">') == 20 + 1  # and one of the flags


def test_flags_are_counted_over_all_photographs():
    numbers = [Numbers(index, 1.0, 0.5, "odd" if index < 3 else "") for index in range(12)]
    _, page = render([picture()], Summary(numbers))
    assert '<th scope="row">none</th><td>9</td><td>75.0 %</td>' in page
    assert '<th scope="row">odd</th><td>3</td><td>25.0 %</td>' in page


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (3, "3 photographs of median quality 0.25. All are shown."),
        (2, "2 are shown: the 1 of lowest quality, and 1 spread evenly over the others."),
    ],
)
def test_page_says_how_those_shown_were_chosen(shown, sentence):
    _, page = render([picture()] * shown)
    assert sentence in page


def test_those_left_out_are_named_with_the_reason():
    left_out = [LeftOut(f"{index}.jpg", "empty file") for index in range(102)]
    _, page = render(of=Summary([Numbers(0, 1.0, 0.5, ""), *left_out]))
    assert "<summary>102 photographs left out</summary>" in page
    assert "<li>7.jpg: empty file</li>" in page
    assert "<li>and 2 more</li>" in page
