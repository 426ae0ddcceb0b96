"""A few mutated inputs of every kind, and all that were ever faults; many more by command."""

import pathlib

import pytest

from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS

CRASHES = sorted((pathlib.Path(__file__).parent / "crashes").glob("*.bin"))
COUNTS = {"photograph": 60}


@pytest.mark.parametrize("name", list(TARGETS))
def test_mutated_inputs_are_read_or_refused(name):
    seeds = TARGETS[name].seeds()
    for number in range(COUNTS.get(name, 150)):
        TARGETS[name].run(mutated(seeds, seed=1, number=number))


@pytest.mark.parametrize("path", CRASHES, ids=lambda path: path.name)
def test_what_was_a_fault_is_none_any_more(path):
    TARGETS[path.name.partition("_")[0]].run(path.read_bytes())
