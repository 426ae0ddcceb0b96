"""The table of ``docs/defects.md`` names files and tests that exist."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
TABLE = (ROOT / "docs" / "defects.md").read_text(encoding="utf-8")
SOURCES = set(re.findall(r"`((?:harl_tf|mask_generation)/[^`]+)`", TABLE))
TESTS = set(re.findall(r"`(tests/[^`]+)::(\w+)`", TABLE))


def test_every_number_is_there_once():
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", TABLE, flags=re.MULTILINE)]
    assert numbers == list(range(1, 48))


@pytest.mark.parametrize("path", sorted(SOURCES))
def test_source_exists(path):
    assert (ROOT / path).is_file()


@pytest.mark.parametrize(("path", "name"), sorted(TESTS))
def test_test_exists(path, name):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_applicable_defect_has_a_test():
    rows = re.findall(r"^\| \d+ \|.*$", TABLE, flags=re.MULTILINE)
    without_test = [row for row in rows if row.endswith("| – |")]
    assert without_test == [row for row in rows if "| Not applicable" in row]
