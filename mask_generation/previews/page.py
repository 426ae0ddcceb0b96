"""The gallery as one self-contained HTML file.

Owns the content of the page: its numbers, sentences, bars and pictures. Does not own its markup,
style and controls (``page.html``, ``page.css`` and ``page.js``) nor how pictures are drawn
(``mask_generation.previews.contact_sheet``). The template engine escapes every value, so that no
text, such as a file name, becomes markup.
"""

import base64
import dataclasses
import io
from collections.abc import Sequence

import jinja2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.previews.contact_sheet import draw_image, draw_outline, draw_saliency
from mask_generation.previews.pictures import Picture, Summary, count_of_worst

_SIDE = 256
_BINS = 20


def render_page(title: str, method: str, summary: Summary, pictures: Sequence[Picture]) -> str:
    """Writes the gallery.

    Args:
        title: Name of what is shown, for the heading.
        method: Name of the mask method.
        summary: The numbers of all photographs.
        pictures: The pictures to show, in their initial order.

    Returns:
        The page, HTML.

    Example:
        >>> page = render_page("<cats>", "fast", Summary([]), [])
        >>> "<h1>Masks of &lt;cats&gt;</h1>" in page
        True
    """
    counts = summary.histogram(_BINS)
    most = max(*counts, 1)
    return _TEMPLATES.get_template("page.html").render(
        title=title,
        introduction=_introduction(method, summary, len(pictures)),
        frame=_FRAME,
        most=most,
        bars=[_bar(index, count, most) for index, count in enumerate(counts)],
        ticks=_ticks(),
        summary=summary,
        pictures=pictures,
    )


def _introduction(method: str, summary: Summary, shown: int) -> str:
    sentences = [f"Method: {method}.", _photographs(len(summary))]
    if len(summary):
        sentences[-1] += f" of median quality {np.median(summary.quality):.2f}"
    sentences[-1] += "."
    if shown == len(summary):
        sentences.append("All are shown.")
    else:
        worst = count_of_worst(shown)
        sentences.append(
            f"{shown} are shown: the {worst} of lowest quality, and "
            f"{shown - worst} spread evenly over the others."
        )
    sentences.append(
        "Quality is the method's own measure of a mask, from 0 to 1; the share is the fraction of "
        "pixels that are foreground."
    )
    return " ".join(sentences)


@dataclasses.dataclass(frozen=True)
class _Frame:
    """Geometry of the histogram: its size and the ends of its axis."""

    width: int
    height: int
    left: int
    right: int
    bottom: int


_FRAME = _Frame(width=360, height=150, left=34, right=356, bottom=130)
_TALLEST = 110


@dataclasses.dataclass(frozen=True)
class _Bar:
    """Number of photographs in a bin of foreground shares, and its rectangle."""

    label: str
    count: int
    x: str
    y: str
    width: str
    height: str


def _bar(index: int, count: int, most: int) -> _Bar:
    step = (_FRAME.right - _FRAME.left) / _BINS
    tall = max(_TALLEST * count / most, 1)  # one photograph among a million stays visible
    return _Bar(
        label=f"{100 * index // _BINS} to {100 * (index + 1) // _BINS} %",
        count=count,
        x=f"{_FRAME.left + index * step + 0.5:.1f}",
        y=f"{_FRAME.bottom - tall:.1f}",
        width=f"{step - 1:.1f}",
        height=f"{tall:.1f}",
    )


def _ticks() -> list[tuple[int, str, str]]:
    """Percentages with their position and text anchor."""
    anchors = {0: "start", 25: "middle", 50: "middle", 75: "middle", 100: "end"}
    wide = _FRAME.right - _FRAME.left
    return [(each, f"{_FRAME.left + each * wide / 100:.1f}", anchors[each]) for each in anchors]


def _drawn(picture: Picture) -> list[tuple[str, NDArray[np.uint8]]]:
    """The pictures shown for a photograph: captions and pixels."""
    drawn = [("Photograph", draw_image(picture.image, _SIDE))]
    if picture.saliency is not None:
        drawn.append(("Saliency", draw_saliency(picture.saliency, _SIDE)))
    drawn.append(("Mask", draw_outline(picture.image, picture.mask, _SIDE)))
    return drawn


def _jpeg(pixels: NDArray[np.uint8]) -> str:
    """A picture as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _photographs(count: int) -> str:
    return f"{count:,} photograph" if count == 1 else f"{count:,} photographs"


def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("mask_generation.previews", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["drawn"] = _drawn
    templates.filters["jpeg"] = _jpeg
    templates.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    templates.filters["photographs"] = _photographs
    templates.filters["thousands"] = lambda count: f"{count:,}"
    return templates


_TEMPLATES = _templates()
