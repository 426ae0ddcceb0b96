"""The turns, the ratios and the rule, with toy contestants."""

import sys

import pytest

from benchmarks.harness import side_by_side
from benchmarks.harness.side_by_side import Contestant, Result, Turn, disturbed, run
from benchmarks.harness.summary import summary

TOY = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.harness.contestant import serve
import time
print("libraries chatter")
def measure():
    time.sleep({seconds})
    print("and chatter")
    return 10
serve(measure, version="7")
"""


def toy(name, seconds, root):
    return Contestant(name, [sys.executable, "-c", TOY.format(root=str(root), seconds=seconds)])


@pytest.fixture
def undisturbed(monkeypatch):
    """The tests themselves use the machine."""
    monkeypatch.setattr(side_by_side, "disturbed", lambda turn, processors: False)


def test_contestants_take_turns_and_chatter_does_not_matter(pytestconfig, undisturbed):
    """Ten items in no less than a tenth of a second, and ten in no time."""
    root = pytestconfig.rootpath
    result = run([toy("slow", 0.1, root), toy("fast", 0, root)], rounds=3, pause=0)
    assert {name: len(turns) for name, turns in result.turns.items()} == {"slow": 3, "fast": 3}
    slow, fast = summary(result, "fast", setting="toy")
    assert float(slow["per_second"]) <= 100
    assert (fast["reference"], fast["ratio"]) == ("fast", "1.000")
    assert float(slow["ratio"]) < 1
    assert slow["facts"] == "version=7"
    assert slow["setting"] == "toy"


def test_contestant_that_cannot_start_is_named_and_left_out(pytestconfig, undisturbed, capsys):
    broken = Contestant("broken", [sys.executable, "-c", "raise SystemExit('no such library')"])
    result = run([broken, toy("fine", 0.01, pytestconfig.rootpath)], rounds=1, pause=0)
    assert list(result.turns) == ["fine"]
    assert "broken ended before it was told to: no such library" in capsys.readouterr().out


def test_ratios_are_formed_within_rounds():
    """2/1, 4/2 and 6/3 items a second: always twice as many, though both vary threefold."""
    turns = {
        name: [Turn(items, 1.0, 1.0, 1.0, 5) for items in counts]
        for name, counts in {"ours": (2, 4, 6), "peer": (1, 2, 3)}.items()
    }
    ours, _ = summary(Result(turns, {"ours": {}, "peer": {}}, 0), "peer")
    assert (ours["ratio"], ours["ratio_quartiles"]) == ("2.000", "2.000 2.000")


@pytest.mark.parametrize(("others", "expected"), [(0.19, False), (0.21, True)])
def test_a_turn_is_disturbed_when_others_use_a_twentieth_of_the_machine(others, expected):
    """Two processors for two seconds are four; a twentieth of that is .2."""
    assert disturbed(Turn(1, 2.0, 3.0, 3.0 + others, 5), processors=2) == expected


def test_disturbed_rounds_are_discarded_and_counted(pytestconfig, monkeypatch):
    judgements = iter([True, False, True, False])
    monkeypatch.setattr(side_by_side, "disturbed", lambda turn, processors: next(judgements))
    result = run([toy("only", 0.01, pytestconfig.rootpath)], rounds=2, pause=0)
    assert (len(result.turns["only"]), result.discarded) == (2, 2)
