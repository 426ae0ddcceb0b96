"""Which file is the mask of a photograph: the same one for every command."""

import os
import pathlib
import unicodedata

import numpy as np
import pytest
from PIL import Image

from mask_generation.conversion.convert import convert
from mask_generation.evaluation.truth import EvaluationError, find_truth
from mask_generation.inputs.folder import find_images
from mask_generation.inputs.mask_lookup import find_mask
from mask_generation.training.drfi import LabeledRegions, RegionSettings, labeled_regions

NFC, NFD = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.jpg", "a.png"),
        ("a.jpg", "a.jpg.png"),
        ("x/y/a.b.JPEG", "x/y/a.b.png"),
        ("x/a.jpg", "x/a.npz"),
        ("train/n01440764/n01440764_10026.JPEG", "n01440764/n01440764_10026.png"),
        ("/data/imagenet/train/n01/x.JPEG", "n01/x.png"),
        ("/data/a.png", "data/a.png"),
        ("../photos/a.jpg", "photos/a.png"),
    ],
)
def test_mask_lies_where_its_photograph_does(tmp_path, name, file):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_bytes(b"")
    assert find_mask(tmp_path, name) == tmp_path / file


def test_photograph_is_never_its_own_mask(tmp_path):
    """An absolute path must not lead out of the folder of masks."""
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "masks").mkdir()
    assert find_mask(tmp_path / "masks", str(tmp_path / "a.png")) is None
    assert find_mask(tmp_path / "masks", "../a.png") is None


def test_words_within_a_name_stay(tmp_path):
    """Only the folder "train" and the last ending go, not "strain" and not the "JPEG" before it."""
    (tmp_path / "strain").mkdir()
    (tmp_path / "strain" / "train.JPEG.png").write_bytes(b"")
    found = find_mask(tmp_path, "train/strain/train.JPEG.jpg")
    assert found == tmp_path / "strain" / "train.JPEG.png"


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (("a.jpg.png", "a.png", "a.npz"), "a.jpg.png"),
        (("a.png", "a.jpg.npz", "a.npz", "a.tif"), "a.png"),
        (("a.npz", "a.tif", "a.jpg"), "a.npz"),
        (("a.PNG", "a.npz"), "a.npz"),  # spelled exactly
        (("a.PNG", "a.Tif"), "a.PNG"),
        (("a.jpeg", "a.bmp"), "a.bmp"),
    ],
)
def test_of_several_masks_the_first_of_the_documented_order_counts(tmp_path, present, found):
    for name in present:
        (tmp_path / name).write_bytes(b"")
    assert find_mask(tmp_path, "a.jpg") == tmp_path / found


@pytest.mark.parametrize("masks", ["cats.jpg", "cats.png"])
def test_photograph_in_the_folder_of_masks_is_not_its_own(tmp_path, masks):
    (tmp_path / masks).write_bytes(b"")
    assert find_mask(tmp_path, masks, str(tmp_path / masks)) is None
    assert find_mask(tmp_path, masks) == tmp_path / masks


@pytest.mark.parametrize(
    ("photograph", "mask"),
    [
        (f"{NFD}.jpg", f"{NFC}.png"),
        (f"{NFC}.jpg", f"{NFD}.png"),
        (f"{NFD}/a.jpg", f"{NFC}/a.png"),
        ("a.jpg", "a.PNG"),
        ("a.JPG", "a.JPG.png"),
        ("a.png", "a.jpg"),
        ("-a b%20.jpg", "-a b%20.png"),
        ("\U0001f408.jpg", "\U0001f408.png"),
        ("a\nb.jpg", "a\nb.png"),
        (os.fsdecode(b"caf\xe9.jpg"), os.fsdecode(b"caf\xe9.png")),
        ("x" * 246 + ".jpg", "x" * 246 + ".png"),
    ],
)
def test_every_command_finds_the_same_mask(tmp_path, photograph, mask):
    """Converting, scoring and training."""
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    pixels[20:40, 30:60] = (200, 40, 40)
    drawn = np.zeros((60, 80), np.uint8)
    drawn[20:40, 30:60] = 255
    for name, values in ((f"images/{photograph}", pixels), (f"masks/{mask}", drawn)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
    manifest = convert(
        tmp_path / "images", tmp_path / "out", masks=tmp_path / "masks", progress=False
    )
    assert (manifest.records, manifest.left_out) == (1, ())
    (truth,) = find_truth(tmp_path)
    assert truth.mask == str(tmp_path / "masks" / mask)
    (source,) = find_images(tmp_path / "images").sources
    settings = RegionSettings(None, str(tmp_path / "masks"))
    assert isinstance(labeled_regions(source, settings), LabeledRegions)


def test_table_may_name_files_in_another_form(tmp_path):
    for name in ("photo", "mask"):
        Image.new("L", (8, 8)).save(tmp_path / f"{NFD} {name}.png")
    table = tmp_path / "pairs.csv"
    table.write_text(f"file,mask\n{NFC} photo.png,{NFC} mask.png\n", encoding="utf-8")
    (truth,) = find_truth(tmp_path)
    assert pathlib.Path(truth.path).exists()
    table.write_text("file,mask\nnone.png,none.png\n")
    with pytest.raises(EvaluationError, match=r"there is no file .*none\.png"):
        find_truth(tmp_path)
