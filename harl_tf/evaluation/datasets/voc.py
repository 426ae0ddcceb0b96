"""Boxes in Pascal VOC's format: an XML file for each image."""

import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree

from harl_tf.evaluation.datasets.annotated import Annotations, Marked, annotated, check_exists

_LARGEST = 10_000_000
"""Bytes of an annotation; a file of a stranger may be anything."""


def read_voc(
    annotations: str | os.PathLike[str],
    images: str | os.PathLike[str],
    classes: Sequence[str] | None = None,
    difficult: bool = False,
) -> Annotations:
    """Reads the boxes of a folder of Pascal VOC annotations.

    Args:
        annotations: Folder of XML files.
        images: Folder of the images that they name.
        classes: Names in the order of their numbers. Default: all that occur, by the alphabet.
        difficult: Whether objects that are marked as difficult count like others. Default: False,
            they are among the ``ignored``.

    Returns:
        The photographs, by the names of the files. VOC counts pixels from 1 and includes the last
        one; the boxes here are left, top, right, bottom from 0, cut off at the edges of the image.

    Raises:
        ValueError: If a file is no such XML, an object has another class, or a box is outside its
            image.
        FileNotFoundError: If there are no annotations or an image does not exist.

    Example:
        ::

            data = read_voc("VOC2007/Annotations", "VOC2007/JPEGImages")
    """
    folder, photographs = pathlib.Path(annotations), pathlib.Path(images)
    paths = sorted(folder.glob("*.xml"))
    if not paths:
        raise FileNotFoundError(f"There are no annotations, *.xml, in {folder}.")
    read = [_read(path) for path in paths]
    names = tuple(classes or sorted({each.name for _, _, objects in read for each in objects}))
    examples, left_out = [], 0
    for path, (file, size, objects) in zip(paths, read, strict=True):
        photograph = photographs / file
        check_exists(photograph, path)
        unknown = [each.name for each in objects if each.name not in names]
        if unknown:
            raise ValueError(
                f"Expected objects of {', '.join(names)} in {path}. Received: {unknown[0]!r:.100}."
            )
        marked = [
            Marked(names.index(each.name), each.corners, each.difficult and not difficult)
            for each in objects
        ]
        example, without_area = annotated(photograph, marked, *size)
        examples.append(example)
        left_out += without_area
    return Annotations(examples, names, left_out)


_SIDES = ("xmin", "ymin", "xmax", "ymax")


class _Object(NamedTuple):
    name: str
    corners: list[float]
    difficult: bool


def _read(path: pathlib.Path) -> tuple[str, tuple[float, float], list[_Object]]:
    """File name, width and height, and the objects of an annotation."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"more than {_LARGEST:,} bytes")
        root = ElementTree.parse(path).getroot()
        size = float(_text(root, "size/width")), float(_text(root, "size/height"))
        objects = []
        for each in root.iter("object"):
            left, top, right, bottom = (float(_text(each, f"bndbox/{side}")) for side in _SIDES)
            is_hard = each.findtext("difficult", "0").strip() == "1"
            objects.append(
                _Object(_text(each, "name"), [left - 1, top - 1, right, bottom], is_hard)
            )
        return _text(root, "filename"), size, objects
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(
            f"Expected {path} to be an annotation as Pascal VOC has them: filename, size, and "
            f"objects with name and bndbox. Received: {error!s:.300}."
        ) from error


def _text(element: ElementTree.Element, name: str) -> str:
    text = element.findtext(name)
    if text is None or not text.strip():
        raise ValueError(f"no {name}")
    return text.strip()
