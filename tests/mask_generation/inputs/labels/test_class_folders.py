"""Which folders are taken for classes, and that every guess is told."""

import pytest

from mask_generation.inputs.labels.class_folders import (
    Folders,
    label_by_folder,
    without_shared_folders,
)


@pytest.mark.parametrize(
    "splits", [("train", "val"), ("Training", "VALIDATION"), ("valid", "test")]
)
def test_folders_of_splits_are_no_classes_but_those_in_them(splits):
    """One numbering for all splits: bee 0, cat 1, dog 2, though each split lacks one of them."""
    names = [f"{splits[0]}/cat/1.jpg", f"{splits[0]}/dog/2.jpg", f"{splits[1]}/bee/3.jpg"]
    labeling = label_by_folder([*names, f"{splits[1]}/cat/4.jpg"])
    assert labeling.classes == ("bee", "cat", "dog")
    assert labeling.labels == [1, 2, 0, 1]
    (note,) = labeling.notes
    assert note.startswith("Taken for splits, not for classes: ")
    assert all(split in note for split in splits)


def test_splits_without_class_folders_give_no_labels():
    labeling = label_by_folder(["train/1.jpg", "val/2.jpg"])
    assert (labeling.classes, labeling.labels) == ((), [-1, -1])
    assert labeling.notes == (
        "Taken for splits, not for classes: train and val; there are no labels.",
    )


@pytest.mark.parametrize("val", ["val/3.jpg", "val/images/3.jpg"])
def test_split_without_class_folders_beside_one_that_has_them_is_unlabeled(val):
    """As in ImageNet and Tiny ImageNet, whose folder images is no class either."""
    labeling = label_by_folder(["train/n1/images/1.jpg", "train/n2/images/2.jpg", val])
    assert (labeling.classes, labeling.labels) == (("n1", "n2"), [0, 1, -1])
    assert labeling.notes[1] == f"1 photograph is in no class folder and has no label: {val}."


def test_folder_around_splits_is_no_class():
    labeling = label_by_folder(["data/train/cat/1.jpg", "data/val/dog/2.jpg"])
    assert (labeling.classes, labeling.labels) == (("cat", "dog"), [0, 1])


def test_train_may_be_a_class_beside_others():
    labeling = label_by_folder(["bus/1.jpg", "plane/2.jpg", "train/3.jpg"])
    assert labeling.labels == [0, 1, 2]
    assert labeling.notes == (
        "Taken for classes, not for splits: train; there is also bus and plane.",
    )


def test_photograph_above_class_folders_is_told_with_its_name():
    """Two are above and three in folders: fewer, so that the folders stay classes."""
    labeling = label_by_folder(["a/1.jpg", "b/2.jpg", "b/3.jpg", "x.jpg", "y.jpg"])
    assert labeling.labels == [0, 1, 1, -1, -1]
    assert labeling.notes == (
        "2 photographs are in no class folder and have no label, such as x.jpg.",
    )


def test_one_photograph_above_a_single_class_folder_keeps_its_labels():
    assert label_by_folder(["cat/1.jpg", "cat/2.jpg", "x.jpg"]).labels == [0, 0, -1]


def test_labels_lost_for_photographs_above_are_told():
    labeling = label_by_folder(["a/1.jpg", "x.jpg", "y.jpg"])
    assert (labeling.classes, labeling.labels) == ((), [-1, -1, -1])
    assert labeling.notes == (
        "Not taken for classes: a. Photographs above them: 2, such as x.jpg; in them: 1. These "
        "have no label.",
    )


def test_empty_class_folder_takes_its_number():
    """As in the other split, where it has photographs: bee is 1 in both."""
    labeling = label_by_folder(["ant/1.jpg", "cat/2.jpg"], Folders(("ant", "bee", "cat")))
    assert (labeling.classes, labeling.labels) == (("ant", "bee", "cat"), [0, 2])
    assert labeling.notes == ("Classes without photographs, for their empty folders: bee.",)


def test_folder_with_other_files_only_is_no_class_and_told():
    folders = Folders(("ant", "xml", "xml/old"), ("xml/old",))
    labeling = label_by_folder(["ant/1.jpg"], folders)
    assert labeling.classes == ("ant",)
    assert labeling.notes == ("Folders with other files only are no classes: xml.",)


def test_empty_folders_beside_photographs_in_none_are_no_classes():
    assert label_by_folder(["1.jpg"], Folders(("new folder",))).classes == ()


def test_given_classes_fix_the_numbers_of_folders():
    """However many photographs are above."""
    labeling = label_by_folder(["cat/1.jpg", "2.jpg", "3.jpg"], classes=("dog", "cat"))
    assert (labeling.classes, labeling.labels) == (("dog", "cat"), [1, -1, -1])


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["cat/1.jpg", "dgo/2.jpg"], r"among the 2 given ones. Received: dgo; is it dog\?"),
        (["cat/1.jpg", "zebra/2.jpg"], r"among the 2 given ones. Received: zebra\."),
        (["1.jpg"], r"in folders named as the given classes. Received: none, such as 1\.jpg"),
    ],
)
def test_folder_that_is_no_given_class_is_refused(names, sentence):
    with pytest.raises(OSError, match=sentence):
        label_by_folder(names, classes=("cat", "dog"))


def test_name_with_a_line_break_stays_in_its_sentence():
    (note,) = label_by_folder(["a/1.jpg", "a/2.jpg", "x\ny.jpg"]).notes
    assert note.endswith(r"has no label: x\ny.jpg.")


def test_shared_folders_are_cut_from_folders_too():
    names, folders = without_shared_folders(["p/cat/1.jpg"], Folders(("p", "p/cat", "p/dog")))
    assert names == ["cat/1.jpg"]
    assert set(folders.all) == {"cat", "dog"}


def test_class_is_one_in_both_unicode_forms():
    """macOS writes the second."""
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    names = [f"train/{composed}/1.jpg", f"val/{decomposed}/2.jpg"]
    found = label_by_folder(names)
    assert (found.classes, found.labels) == ((composed,), [0, 0])
    given = label_by_folder([f"{decomposed}/1.jpg", "b/2.jpg"], classes=["b", composed])
    assert given.labels == [1, 0]
