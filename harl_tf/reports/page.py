"""A page of pictures: one self-contained HTML file, no script, no outside resource.

Owns the content of a page and how numbers become pictures, not its markup and style (``page.html``
and ``page.css``). The template engine escapes every value, so text never becomes markup.
"""

import base64
import dataclasses
import io
import pathlib
from collections.abc import Sequence

import jinja2
import numpy as np
from PIL import Image

from harl_tf import files


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: Heading of the section.
        text: A paragraph.
        header: Column headings of the section's table.
        rows: Rows of the table; a cell is a picture ``(height, width, 3)`` uint8 or a string.
        figure: PNG bytes of one wide picture below the table. Default: none.
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
    page = _TEMPLATES.get_template("page.html").render(title=title, sections=sections)
    files.write_text(path, page)
    return path


def color_map(values: np.ndarray, size: int, limit: float) -> np.ndarray:
    """Draws a map of signed values: blue below zero, white at zero, red above zero.

    Args:
        values: ``(height, width)`` floats.
        size: Height of the picture in pixels; cells are drawn as squares of one color.
        limit: Positive value at which a color saturates; larger magnitudes look the same.

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


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _inline(png: bytes) -> str:
    """A picture as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("harl_tf.reports", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["inline"] = _inline
    templates.filters["png"] = _png
    return templates


_TEMPLATES = _templates()
