"""When a probe measures, and what it says and logs."""

import pytest

from harl_tf.callbacks.probe import Probe
from tests.callbacks.toys import fit, make_model


class Counting(Probe):
    """Measures how often it has measured."""

    def __init__(self, every=1):
        super().__init__(every)
        self.count = 0

    def measure(self):
        self.count += 1
        return {"count": float(self.count)}, f"{self.count} times"


@pytest.mark.parametrize(
    ("every", "first", "counts"),
    [(1, 0, [1, 2, 3, 4, 5]), (2, 0, [1, 2, 2, 3, 4]), (9, 0, [1, 1, 1, 1, 2]), (9, 3, [1, 2])],
    ids=["every", "second", "first_and_last", "resumed"],
)
def test_first_every_nth_and_last_epoch_are_probed(every, first, counts):
    assert fit(make_model(), Counting(every), 5, initial_epoch=first)["count"] == counts


def test_a_line_for_every_probe_and_none_between(capsys):
    fit(make_model(), Counting(every=2), epochs=3, verbose=2)
    lines = [each for each in capsys.readouterr().out.splitlines() if "times" in each]
    assert lines == ["epoch 1: 1 times", "epoch 2: 2 times", "epoch 3: 3 times"]


def test_every_below_one():
    with pytest.raises(ValueError, match=r"Expected every ≥ 1. Received: every=0"):
        Counting(every=0)
