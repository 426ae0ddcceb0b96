"""Small valid inputs of every kind, from which mutations are made."""

import io
import json
import pathlib
import tarfile

import numpy as np
from PIL import Image

from conftest import make_photograph
from harl_tf.data import records
from mask_generation.conversion.per_photograph.example import encode_png

# Everything that Pillow writes and somebody has called a photograph.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "TGA", "ICO", "JPEG2000")
MODES = ("L", "LA", "P", "1", "I;16", "CMYK", "RGBA")

GOLDEN = pathlib.Path(__file__).parent.parent / "golden/run_schema_3/records"


def images() -> list[bytes]:
    """A photograph of 40 × 30 pixels in every format, and in every mode that PNG or TIFF has."""
    photograph = Image.fromarray(make_photograph(0)).resize((40, 30))
    found = [_saved(photograph, name) for name in FORMATS]
    found.append(_saved(photograph, "JPEG", progressive=True, exif=_turned()))
    found.append(_saved(photograph, "TIFF", compression="tiff_lzw"))
    for mode in MODES:
        kind = "TIFF" if mode == "CMYK" else "PNG"
        gray = photograph.convert("L")
        made = gray.convert("I;16") if mode == "I;16" else photograph.convert(mode)
        found.append(_saved(made, kind))
    return found


def masks() -> list[bytes]:
    """Masks of two values, grays, labels, a palette, transparency and 16 bits."""
    square = np.zeros((30, 40), np.uint8)
    square[5:20, 10:30] = 255
    palette = Image.fromarray(square // 255).convert("P")
    palette.putpalette([0, 0, 0, 200, 30, 30])
    clear = Image.fromarray(np.dstack([square * 0] * 3 + [square]))
    made = [Image.fromarray(square), Image.fromarray(square // 100), palette, clear]
    arrays = io.BytesIO()
    np.savez(arrays, foreground=square > 0)
    return [
        *(_saved(each, "PNG") for each in made),
        _saved(made[0], "JPEG"),
        encode_png(square.astype(np.uint16) * 100),
        arrays.getvalue(),
    ]


def tars() -> list[bytes]:
    """Tars of class folders, of a WebDataset, with links, compressed, and in three formats."""
    photograph = _saved(Image.fromarray(make_photograph(1)).resize((16, 12)), "JPEG")
    folders = {"cat/a.jpg": photograph, "dog/b.jpg": photograph}
    samples = {"1.jpg": photograph, "1.cls": b"3", "2.jpg": photograph, "2.json": b'{"label": "x"}'}
    formats = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    return [
        *(_tar(folders, form) for form in formats),
        _tar(samples),
        _tar(folders, link="cat/a.jpg"),
        _tar(folders, mode="w:gz"),
        _tar({"é" * 70 + "/" + "n" * 70 + ".jpg": photograph}),
    ]


def lists() -> list[bytes]:
    """Lists of paths, with and without classes, in several encodings."""
    text = "a.jpg\tcat\nb/c.png\tdog\n"
    return [b"a.jpg\nb.jpg\n", text.encode(), text.encode("utf-16"), "\ufeffé.jpg\n".encode()]


def stored() -> list[bytes]:
    """Records, serialized."""
    jpeg = _saved(Image.fromarray(make_photograph(2)).resize((16, 12)), "JPEG")
    mask = encode_png(np.eye(12, 16, dtype=np.uint8))
    return [
        records.encode(records.Record(jpeg, mask, "a.jpg")),
        records.encode(records.Record(jpeg, mask, "b.jpg", 3, 0.5, "flat image")),
    ]


def manifests() -> list[bytes]:
    """Manifests of two shards, compact and indented."""
    text = (GOLDEN / "manifest.json").read_text()
    return [text.encode(), json.dumps(json.loads(text)).encode()]


def metadata() -> list[bytes]:
    """Of exports of both layouts."""
    exports = GOLDEN.parent.parent.glob("exports_schema_*/backbone/metadata.json")
    return [path.read_bytes() for path in sorted(exports)]


def quarantines() -> list[bytes]:
    """One with the first of two shards."""
    first = min(path.name for path in GOLDEN.glob("*.tfrecord-*"))
    fields = {"shards": {first: "is damaged"}, "flags": {"flat": 1}, "class_counts": {"a": 2}}
    return [json.dumps(fields).encode()]


def notes() -> list[bytes]:
    """A note of a conversion's journal, whose checksum is put right after each mutation."""
    shard = json.loads((GOLDEN / "manifest.json").read_text())["shards"][0]
    fields = {"fingerprint": "x", "shard": shard, "left_out": [["b.jpg", "empty file"]]}
    counts = {"flags": {"flat": 1}, "regions": {"grid": 4}, "assumptions": {}, "labels": {"3": 2}}
    return [json.dumps({**fields, **counts}).encode()]


PHOTOGRAPH = "a.png"
"""What the boxes are of: a file of 40 × 30 pixels."""


def coco_boxes() -> list[bytes]:
    """COCO's annotations of a photograph."""
    box = {"image_id": 7, "category_id": 3, "bbox": [2, 3, 10.5, 20], "iscrowd": 0}
    crowd = {**box, "bbox": [-1, -2, 99, 99], "iscrowd": 1}
    content = {
        "images": [{"id": 7, "file_name": PHOTOGRAPH, "width": 40, "height": 30}],
        "categories": [{"id": 3, "name": "cat"}, {"id": 90, "name": "dog"}],
        "annotations": [box, crowd],
    }
    return [json.dumps(content).encode()]


def voc_boxes() -> list[bytes]:
    """Pascal VOC's annotations of a photograph, the second with an entity in it."""
    sides = "<xmin>3</xmin><ymin>4</ymin><xmax>12</xmax><ymax>23.5</ymax>"
    text = (
        f"<annotation><filename>{PHOTOGRAPH}</filename><size><width>40</width>"
        f"<height>30</height></size><object><name>NAME</name><difficult>1</difficult>"
        f"<bndbox>{sides}</bndbox></object></annotation>"
    )
    declared = '<?xml version="1.0"?><!DOCTYPE annotation [<!ENTITY a "dog">]>'
    named = declared + text.replace("NAME", "&a;&a;")
    return [text.replace("NAME", "cat").encode(), named.encode()]


def _saved(image: Image.Image, kind: str, **settings: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = 6
    return exif


def _tar(
    files: dict[str, bytes],
    form: int = tarfile.PAX_FORMAT,
    link: str | None = None,
    mode: str = "w",
) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=form) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name[:90] if form == tarfile.USTAR_FORMAT else name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        if link is not None:
            member = tarfile.TarInfo("cat/link.jpg")
            member.type, member.linkname = tarfile.SYMTYPE, link
            tar.addfile(member)
    return made.getvalue()
