"""What is quoted of another library's error."""

import io
import zipfile

import numpy as np
import pytest

from mask_generation.inputs.mask_file import UnusableMaskError, decode_file
from mask_generation.reason import reason_of


def test_megabytes_are_cut():
    reason = reason_of(ValueError("x" * 10**7))
    assert len(reason) == 300
    assert reason.endswith("…")


@pytest.mark.parametrize("text", ["", "  \n ", "..."])
def test_error_without_words_is_named(text):
    assert reason_of(ValueError(text)) == "ValueError" or text == "..."


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\x9b", "\u202e", "\u2028", "\udcff"])
def test_nothing_controls_a_terminal(character):
    assert reason_of(OSError(f"a{character}b")).isprintable()


def test_damaged_array_is_not_quoted_as_a_whole():
    """``zipfile`` quotes all bytes up to the next header, here the whole array."""
    file = io.BytesIO()
    np.savez(file, foreground=np.ones((300, 400), bool))
    start = file.getvalue().find(b"foreground.npy")
    damaged = bytearray(file.getvalue())
    damaged[26:28] = (65535).to_bytes(2, "little")  # the length of the name
    assert start == zipfile.sizeFileHeader
    with pytest.raises(UnusableMaskError) as caught:
        decode_file("a.npz", bytes(damaged))
    assert len(str(caught.value)) < 400
