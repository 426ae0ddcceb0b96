"""The table of ``README.md`` names tests that exist, and every test here is in it."""

import pathlib
import re

FOLDER = pathlib.Path(__file__).parent
TABLE = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_table_has_every_number_once():
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", TABLE, flags=re.MULTILINE)]
    assert numbers == list(range(1, 48))


def test_tests_and_table_name_each_other():
    named = set(re.findall(r"`(test_\d\w+)`", TABLE))
    files = [file.read_text(encoding="utf-8") for file in FOLDER.glob("test_*.py")]
    there = {
        name for text in files for name in re.findall(r"^def (test_\d\w+)", text, re.MULTILINE)
    }
    assert named == there


def test_rows_name_the_tests_that_carry_their_number():
    for number, row in re.findall(r"^\| (\d+) \|(.*)$", TABLE, flags=re.MULTILINE):
        for name in re.findall(r"`(test_\d\w+)`", row):
            assert number in [str(int(part)) for part in re.findall(r"(?<=_)\d\d(?=_)", name)]
