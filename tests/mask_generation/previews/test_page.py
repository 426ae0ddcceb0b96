"""The gallery's page: whole, self-contained, safe from file names, and what it says is so."""

import base64
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image

from mask_generation.left_out import LeftOut
from mask_generation.previews.page import _ORDERS, render_page
from mask_generation.previews.pictures import Numbers, Picture, Summary
from mask_generation.previews.style import SCRIPT, STYLE

VOID = {"meta", "img", "rect", "line", "input"}
EVIL = '"><script>alert(1)</script>'


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
    sources = [
        value
        for _, found in reader.elements
        for key, value in found.items()
        if key in ("src", "href", "srcset", "action")
    ]
    assert len(sources) == 6
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert not re.search(r"https?:|fetch|import|XMLHttp", page.replace(sources[0], ""))
    policy = next(found for found in reader.all("meta") if "http-equiv" in found)
    assert policy["content"].startswith("default-src 'none'; img-src data:;")


def test_pictures_are_photograph_saliency_and_mask():
    reader, _ = render([picture()])
    shown = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(found["src"].partition(",")[2]))))
        for found in reader.all("img")
    ]
    assert [drawn.shape for drawn in shown] == [(128, 256, 3)] * 3
    expected = [100, 128, int(100 * 0.35 + 255 * 0.25)]
    assert [abs(int(drawn[64, 128, 0]) - want) <= 2 for drawn, want in zip(shown, expected)] == [  # noqa: B905
        True
    ] * 3
    for found in reader.all("img"):
        assert (found["width"], found["height"]) == ("256", "128")
    captions = [found["alt"] for found in reader.all("img")]
    assert captions == [f"{what} of cat.jpg" for what in ("Photograph", "Saliency", "Mask")]


def test_saliency_that_is_not_known_is_left_out():
    reader, _ = render([picture(saliency=False)])
    assert [found["alt"].split()[0] for found in reader.all("img")] == ["Photograph", "Mask"]


def test_no_text_becomes_markup():
    numbers = Numbers(0, 0.5, 0.5, EVIL)
    of = Summary([numbers, LeftOut(EVIL, EVIL)])
    reader, page = render([picture(EVIL, numbers)], of, title=EVIL, method=EVIL)
    assert reader.open == []
    assert len(reader.all("script")) == 1
    assert "<script>alert" not in page
    (card,) = (found for found in reader.all("li") if found.get("class") == "card")
    assert (card["data-name"], card["data-flag"]) == (EVIL, EVIL)
    assert f"={EVIL}" in [found.get("value") for found in reader.all("option")]


def test_cards_carry_what_they_are_sorted_and_filtered_by():
    reader, page = render([picture(numbers=Numbers(0, 0.123, 0.456, "odd"))])
    (card,) = (found for found in reader.all("li") if found.get("class") == "card")
    assert card["data-quality"] == "0.123000"
    assert card["data-share"] == "0.456000"
    assert card["data-flag"] == "odd"
    assert "Quality 0.12 · 45.6 % foreground" in page


def test_script_knows_every_order_and_control_of_the_page():
    reader, _ = render([picture()], summary(flag="odd"))
    values = [found["value"] for found in reader.all("option")]
    assert values == [*_ORDERS, "any", "=odd"]
    for order in _ORDERS:
        assert re.search(rf"^  {order}: ", SCRIPT, flags=re.MULTILINE)
    ids = {found["id"] for _, found in reader.elements if "id" in found}
    assert set(re.findall(r'getElementById\("(\w+)"\)', SCRIPT)) <= ids
    attributes = {key[5:] for found in reader.all("li") for key in found if key[:5] == "data-"}
    used = set(re.findall(r"dataset\.(\w+)", SCRIPT)) | set(re.findall(r', "(\w+)"\)', SCRIPT))
    assert used == attributes


def test_every_control_has_a_label_and_the_count_is_announced():
    reader, page = render([picture()])
    assert page.count("<label>") == len(reader.all("select")) == 2
    assert {"id": "shown", "role": "status"} in reader.all("span")
    controls = next(found for found in reader.all("div") if found.get("class") == "controls")
    assert "hidden" in controls, "without the script they would do nothing"


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


def test_text_can_be_read_on_its_ground_in_light_and_in_dark():
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5, by its formula of relative luminance."""

    def luminance(color):
        digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
        linear = [
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        ]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    themes = [dict(re.findall(r"--(\w+): (#\w+)", block)) for block in STYLE.split("@media")[:2]]
    for theme in themes:
        for ink in ("ink", "faint", "flag"):
            for ground in ("ground", "card"):
                dark, light = sorted(luminance(theme[name]) for name in (ink, ground))
                assert (light + 0.05) / (dark + 0.05) >= 4.5
