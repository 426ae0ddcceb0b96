"""Previews of masks: a gallery to browse and a contact sheet to print.

Owns which files are written and where. Does not own what is shown
(``mask_generation.previews.pictures``) nor how it is drawn (``mask_generation.previews.page``,
``mask_generation.previews.contact_sheet``).
"""

import contextlib
import io
import pathlib

from tqdm import tqdm

from mask_generation.inputs.file_names import as_text, printable
from mask_generation.inputs.not_photographs import marked
from mask_generation.methods import DEFAULT, named
from mask_generation.previews.contact_sheet import draw_sheet
from mask_generation.previews.inspect_images import InspectedImages
from mask_generation.previews.page import render_page
from mask_generation.previews.pictures import Inspected, Summary
from mask_generation.whole_file import whole_file

_MANIFEST = "manifest.json"
# Pictures are kept in memory with this longer side until they are drawn.
_SIDE = 256


class PreviewError(Exception):
    """Masks cannot be shown; the message says why in one line."""


def preview(
    folder: str | pathlib.Path,
    out: str | pathlib.Path | None = None,
    count: int = 48,
    method: str | None = None,
    workers: int = 1,
    progress: bool = True,
) -> tuple[pathlib.Path, ...]:
    """Shows the masks of a folder of records, or a method's masks for a folder of photographs.

    Writes one self-contained HTML page, with a histogram of foreground shares and counts of flags
    over all photographs, and one PNG. Half of the photographs shown are those of lowest quality;
    the others are spread evenly over the rest.

    Args:
        folder: Folder of records, or of photographs.
        out: A folder for ``preview.html`` and ``preview.png``, or a name that ends in ``.html`` or
            ``.png`` to write only that file. Default: the folder of records; for photographs, the
            current folder.
        count: Number of photographs to show. Default: 48.
        method: Name of the mask method for a folder of photographs; not for records, which already
            have masks. Default: the default method.
        workers: Processes that compute masks of photographs. Default: 1.
        progress: Whether to show a progress bar. Default: True.

    Returns:
        The files written.

    Raises:
        PreviewError: If ``folder`` is neither, or ``out`` is not usable.
        RecordsError: If a folder of records is incomplete.
        OSError: If something cannot be read or written.
        ValueError: If ``count`` or ``workers`` is less than 1, or the method is unknown.

    Example:
        >>> preview("no/such/folder")
        Traceback (most recent call last):
        mask_generation.previews.preview.PreviewError: There is no folder no/such/folder.
    """
    if count < 1 or workers < 1:
        raise ValueError(f"Expected count ≥ 1 and workers ≥ 1. Received: {count} and {workers}.")
    folder = pathlib.Path(folder)
    inspected = _open(folder, method, workers)
    paths = _paths(folder, out)
    with contextlib.ExitStack() as stack:
        files = [(path, stack.enter_context(whole_file(path))) for path in paths]
        with tqdm(
            inspected.numbers(), total=inspected.total, unit="photo", disable=not progress
        ) as numbers:
            summary = Summary(numbers)
        if not len(summary):
            first = summary.left_out[0]
            raise PreviewError(
                f"None of the photographs in {folder} can be used; the first: "
                f"{printable(first.name)}: {first.reason}."
            )
        pictures = [picture.reduced(_SIDE) for picture in inspected.pictures(summary.choose(count))]
        pictures.sort(key=lambda picture: (picture.numbers.quality, picture.name))
        for path, file in files:
            if path.suffix == ".html":
                title = as_text(folder.resolve().name)
                page = render_page(title, inspected.method, summary, pictures)
                file.write_text(page, encoding="utf-8")
            else:
                sheet = io.BytesIO()
                draw_sheet(pictures).save(sheet, "PNG")
                file.write_bytes(marked(sheet.getvalue()))
    return paths


def _open(folder: pathlib.Path, method: str | None, workers: int) -> Inspected:
    if not folder.is_dir():
        raise PreviewError(f"There is no folder {folder}.")
    if not _holds_records(folder):
        named(method or DEFAULT)  # fails early if there is none
        return InspectedImages(folder, method or DEFAULT, workers)
    if method is not None:
        raise PreviewError(
            f"Expected no method for {folder}: its records have their masks already. "
            f"Received: {method!r}. Leave it out, or name a folder of photographs."
        )
    from mask_generation.previews.inspect_records import InspectedRecords

    return InspectedRecords(folder)


def _holds_records(folder: pathlib.Path) -> bool:
    """Whether a folder has a manifest, or shards without one, which is then reported."""
    return (folder / _MANIFEST).is_file() or any(folder.glob("*.tfrecord-*"))


def _paths(folder: pathlib.Path, out: str | pathlib.Path | None) -> tuple[pathlib.Path, ...]:
    """The files to write."""
    records = _holds_records(folder)
    where = pathlib.Path(out) if out is not None else folder if records else pathlib.Path()
    if where.suffix in (".html", ".png") and not where.is_dir():
        paths: tuple[pathlib.Path, ...] = (where,)
    elif where.suffix and not where.is_dir():
        raise PreviewError(
            f"Expected OUT as a folder or a name that ends in .html or .png. Received: {where}."
        )
    else:
        paths = (where / "preview.html", where / "preview.png")
    if not records and folder.resolve() in paths[0].resolve().parents:
        raise PreviewError(
            f"{paths[0].parent.resolve()} holds the photographs, and what is written there would "
            "be found among them. Choose another place with --out (in Python: out=...)."
        )
    if len(paths) == 2:
        _make_folder(where)
    return paths


def _make_folder(folder: pathlib.Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"Folder {folder} cannot be made: {error.strerror or error}.") from error
