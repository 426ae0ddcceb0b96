"""A page of pictures: one self-contained HTML file, no script, no outside resource."""

import base64
import dataclasses
import html
import io
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from harl_tf import files

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto;
       max-width: 1180px; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } td, th { padding: 4px 8px 4px 0; text-align: left;
       font-weight: normal; vertical-align: middle; } th { color: #666; font-size: 13px; }
img { display: block; max-width: 100%; }
"""


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: Its heading.
        text: A paragraph.
        header: Headings of the columns of its table of pictures.
        rows: Rows of cells; a cell is a picture ``(height, width, 3)`` uint8 or a text.
        figure: PNG bytes of one wide picture below. Default: none.
    """

    title: str
    text: str = ""
    header: Sequence[str] = ()
    rows: Sequence[Sequence[np.ndarray | str]] = ()
    figure: bytes | None = None


def write_page(path: str | pathlib.Path, title: str, sections: Sequence[Section]) -> pathlib.Path:
    """Writes sections as one HTML file.

    Args:
        path: File to write; an older one is replaced.
        title: Heading of the page.
        sections: Its parts.

    Returns:
        The file.

    Example:
        ::

            write_page("page.html", "Masks", [Section("Photographs", rows=[[image, "cat"]])])
    """
    path = pathlib.Path(path)
    body = "\n".join(_render(section) for section in sections)
    head = f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">{head}'
    page = f"<h1>{html.escape(title)}</h1>\n{body}"
    page = f'<!doctype html><html lang="en"><head>{head}</head><body>{page}</body></html>\n'
    files.write_text(path, page)
    return path


def color_map(values: np.ndarray, size: int, limit: float) -> np.ndarray:
    """Draws a map of signed values: blue below zero, white at zero, red above.

    Args:
        values: ``(height, width)`` floats.
        size: Height of the picture in pixels; cells are drawn as squares of one colour.
        limit: Value at which a colour is full, positive; larger ones are drawn like it.

    Returns:
        ``(size, ..., 3)`` uint8.

    Raises:
        ValueError: If ``limit`` is not positive.

    Example:
        >>> color_map(np.array([[-1.0, 1.0]]), 2, 1.0)[0, [0, -1]].tolist()
        [[33, 102, 172], [178, 24, 43]]
    """
    if limit <= 0:
        raise ValueError(f"Expected limit > 0. Received: limit={limit}.")
    scaled = np.clip(values / limit, -1.0, 1.0)[..., None]
    white, blue, red = (np.array(c, float) for c in ([255] * 3, [33, 102, 172], [178, 24, 43]))
    end = np.where(scaled > 0, red, blue)
    colors = white + np.abs(scaled) * (end - white)
    picture = Image.fromarray(np.round(colors).astype(np.uint8))
    width = max(1, round(size * values.shape[1] / values.shape[0]))
    return np.asarray(picture.resize((width, size), Image.Resampling.NEAREST))


def _render(section: Section) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    if section.text:
        parts.append(f"<p>{html.escape(section.text)}</p>")
    if section.rows:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in section.header)
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in section.rows)
        parts.append(f"<table><tr>{head}</tr>{rows}</table>")
    if section.figure is not None:
        parts.append(f'<img alt="{html.escape(section.title)}" src="{_inline(section.figure)}">')
    return "\n".join(parts)


def _cell(content: np.ndarray | str) -> str:
    if isinstance(content, str):
        return f"<td>{html.escape(content)}</td>"
    buffer = io.BytesIO()
    Image.fromarray(content).save(buffer, "PNG")
    return f'<td><img alt="" src="{_inline(buffer.getvalue())}"></td>'


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
