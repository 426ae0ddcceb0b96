"""Boxes in COCO's format: one JSON file for all images."""

import json
import os
import pathlib
from typing import Any

from harl_tf.evaluation.datasets.annotated import Annotations, Marked, annotated, check_exists

_OTHER_CONTENT = (
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)


def read_coco(annotations: str | os.PathLike[str], images: str | os.PathLike[str]) -> Annotations:
    """Reads the boxes of a COCO annotation file.

    Args:
        annotations: JSON with ``images``, ``annotations`` and ``categories``.
        images: Folder of the images.

    Returns:
        The photographs. Class numbers count the categories by their ids, from 0, whatever the ids
        are. Crowds (``iscrowd``) are among the ``ignored``. Boxes are cut off at the edges of the
        image.

    Raises:
        ValueError: If the file is no such JSON, names an image or a category that it does not
            have, or a box is outside its image.
        FileNotFoundError: If it or an image does not exist.

    Example:
        ::

            data = read_coco("annotations/instances_val2017.json", "val2017")
    """
    path, folder = pathlib.Path(annotations), pathlib.Path(images)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        listed = {image["id"]: image for image in content["images"]}
        names = {each["id"]: each["name"] for each in content["categories"]}
        numbers = {category: index for index, category in enumerate(sorted(names))}
        left_out = 0
        found: dict[Any, list[Marked]] = {number: [] for number in listed}
        for box in content["annotations"]:
            label, crowd = numbers[box["category_id"]], bool(box.get("iscrowd"))
            if box["bbox"] == []:  # an outline without a box
                left_out += 1
                continue
            x, y, width, height = _four(box["bbox"], box, path)
            corners = [x, y, x + width, y + height]
            found[box["image_id"]].append(Marked(label, corners, crowd))
        examples = []
        for number, image in listed.items():
            photograph = folder / image["file_name"]
            check_exists(photograph, path)
            size = image["width"], image["height"]
            example, without_area = annotated(photograph, found[number], *size)
            examples.append(example)
            left_out += without_area
    except _OTHER_CONTENT as error:
        raise ValueError(
            f"Expected {path} to be COCO's JSON: images with id, file_name, width and height, "
            "annotations with image_id, category_id and bbox, categories with id and name. "
            f"Received: {type(error).__name__}, {error!s:.300}."
        ) from error
    return Annotations(examples, tuple(names[category] for category in numbers), left_out)


def _four(numbers: Any, box: dict[str, Any], path: pathlib.Path) -> Any:
    if len(numbers) != 4:
        raise ValueError(
            f"Expected four numbers as bbox in {path}. Received: {numbers!s:.100} of the "
            f"annotation {box.get('id')}."
        )
    return numbers
