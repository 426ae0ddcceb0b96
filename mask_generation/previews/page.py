"""The gallery as HTML: one file that needs nothing from outside it.

Owns what is on the page and that no text in it, a file name say, can become markup. Does not own
its looks (``mask_generation.previews.style``) nor the pictures'
(``mask_generation.previews.contact_sheet``).
"""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mask_generation.previews.contact_sheet import draw_image, draw_outline, draw_saliency
from mask_generation.previews.pictures import Picture, Summary, count_of_worst
from mask_generation.previews.style import SCRIPT, STYLE

_SIDE = 256
_BINS = 20
_ORDERS = {
    "worst": "Quality, worst first",
    "best": "Quality, best first",
    "small": "Foreground share, smallest first",
    "large": "Foreground share, largest first",
    "name": "Name",
}
# Whatever is on the page, it can load nothing and send nothing.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render_page(title: str, method: str, summary: Summary, pictures: Sequence[Picture]) -> str:
    """Writes the gallery.

    Args:
        title: What was looked at, for the heading.
        method: Name of the mask method.
        summary: The numbers of all photographs.
        pictures: Those shown, in the order in which they are at first.

    Returns:
        The page, HTML.

    Example:
        >>> page = render_page("<cats>", "fast", Summary([]), [])
        >>> "<h1>Masks of &lt;cats&gt;</h1>" in page
        True
    """
    name = html.escape(title)
    return f"""<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>Masks of {name}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Masks of {name}</h1>
<p>{_introduction(method, summary, pictures)}</p>
</header>
<main>
<div class="summary">
<section aria-labelledby="shares"><h2 id="shares">Share of foreground, all photographs</h2>
{_histogram(summary)}</section>
<section aria-labelledby="flags"><h2 id="flags">Flags, all photographs</h2>
{_flags(summary)}
{_left_out(summary)}</section>
</div>
<h2>Photographs</h2>
{_controls(summary)}
<ul class="cards">
{"".join(map(_card, pictures))}</ul>
</main>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _introduction(method: str, summary: Summary, pictures: Sequence[Picture]) -> str:
    sentences = [f"Method: {html.escape(method)}.", f"{_plural(len(summary), 'photograph')}"]
    if len(summary):
        sentences[-1] += f" of median quality {np.median(summary.quality):.2f}"
    sentences[-1] += "."
    if len(pictures) == len(summary):
        sentences.append("All are shown.")
    else:
        worst = count_of_worst(len(pictures))
        sentences.append(
            f"{len(pictures)} are shown: the {worst} of lowest quality, and "
            f"{len(pictures) - worst} spread evenly over the others."
        )
    sentences.append(
        "Quality is the method's own measure of a mask, from 0 to 1; the share is that of the "
        "pixels that are foreground."
    )
    return " ".join(sentences)


def _histogram(summary: Summary) -> str:
    """Bars, and the same as a table for those who do not see them."""
    counts = summary.histogram(_BINS)
    most = max(*counts, 1)
    width, height, left, bottom = 360, 150, 34, 130
    step = (width - left - 4) / _BINS
    bars, rows = [], []
    for index, count in enumerate(counts):
        label = f"{100 * index // _BINS} to {100 * (index + 1) // _BINS} %"
        tall = 110 * count / most
        if count:
            bars.append(
                f'<rect x="{left + index * step + 0.5:.1f}" y="{bottom - max(tall, 1):.1f}" '
                f'width="{step - 1:.1f}" height="{max(tall, 1):.1f}">'
                f"<title>{label}: {count:,}</title></rect>"
            )
        rows.append(f'<tr><th scope="row">{label}</th><td>{count:,}</td></tr>')
    ticks = "".join(
        f'<text x="{left + share * step * _BINS / 100:.1f}" y="{bottom + 15}" '
        f'text-anchor="{anchor}">{share} %</text>'
        for share, anchor in ((0, "start"), (25, "middle"), (50, "middle"), (75, "middle"))
    )
    ticks += f'<text x="{width - 4}" y="{bottom + 15}" text-anchor="end">100 %</text>'
    return f"""<svg viewBox="0 0 {width} {height}" role="img" aria-label="Histogram of the share of
foreground; the table below has its numbers">
<line x1="{left}" y1="{bottom}" x2="{width - 4}" y2="{bottom}"/>
<text x="{left - 4}" y="{bottom}" text-anchor="end">0</text>
<text x="{left - 4}" y="{bottom - 102}" text-anchor="end">{most:,}</text>
{"".join(bars)}{ticks}</svg>
<details><summary>The numbers</summary><table>
<thead><tr><th scope="col">Foreground</th><th scope="col">Photographs</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table></details>"""


def _flags(summary: Summary) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_flag_name(flag)}</th><td>{count:,}</td>'
        f"<td>{100 * count / len(summary):.1f} %</td></tr>"
        for flag, count in summary.flags.items()
    )
    return f"""<table><thead><tr><th scope="col">Flag</th><th scope="col">Photographs</th>
<th scope="col">Of all</th></tr></thead><tbody>{rows}</tbody></table>"""


def _left_out(summary: Summary) -> str:
    if not summary.left_out_count:
        return ""
    items = "".join(
        f"<li>{html.escape(one.name)}: {html.escape(one.reason)}</li>" for one in summary.left_out
    )
    more = summary.left_out_count - len(summary.left_out)
    if more:
        items += f"<li>and {more:,} more</li>"
    count = _plural(summary.left_out_count, "photograph")
    return f"<details><summary>{count} left out</summary><ul>{items}</ul></details>"


def _controls(summary: Summary) -> str:
    orders = "".join(f'<option value="{key}">{text}</option>' for key, text in _ORDERS.items())
    # The "=" keeps a flag called "any" apart from the choice of all.
    flags = "".join(
        f'<option value="={html.escape(flag)}">{_flag_name(flag)}</option>'
        for flag in summary.flags
    )
    return f"""<div class="controls" hidden>
<label>Order <select id="order">{orders}</select></label>
<label>Flag <select id="flag"><option value="any">all</option>{flags}</select></label>
<span id="shown" role="status"></span>
</div>"""


def _card(picture: Picture) -> str:
    numbers, name = picture.numbers, html.escape(picture.name)
    drawn = [("Photograph", draw_image(picture.image, _SIDE))]
    if picture.saliency is not None:
        drawn.append(("Saliency", draw_saliency(picture.saliency, _SIDE)))
    drawn.append(("Mask", draw_outline(picture.image, picture.mask, _SIDE)))
    pictures = "".join(
        f'<figure><img src="{_inline(pixels)}" width="{pixels.shape[1]}" '
        f'height="{pixels.shape[0]}" alt="{caption} of {name}">'
        f"<figcaption>{caption}</figcaption></figure>"
        for caption, pixels in drawn
    )
    flag = html.escape(numbers.flag)
    words = f' · <span class="flag">{flag}</span>' if flag else ""
    return f"""<li class="card" data-name="{name}" data-quality="{numbers.quality:.6f}"
data-share="{numbers.share:.6f}" data-flag="{flag}">
<h3>{name}</h3>
<div class="pictures">{pictures}</div>
<p class="numbers">Quality {numbers.quality:.2f} · {100 * numbers.share:.1f} % foreground{words}</p>
</li>
"""


def _flag_name(flag: str) -> str:
    return html.escape(flag) if flag else "none"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _inline(pixels: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
