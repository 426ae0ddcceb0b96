"""Runs that are killed at random moments end as if nobody had; ``killed.py`` does so by command."""

import pytest

from tests.integration.killed import killed

KILLS = 4


@pytest.mark.slow
@pytest.mark.parametrize(("replicas", "workers"), [(1, 1), (2, 1), (1, 2)])
def test_run_killed_again_and_again_ends_with_the_same_weights(
    records, tmp_path, replicas, workers, record_property
):
    outcome = killed(records, tmp_path, KILLS, replicas, workers)
    record_property("within_saves", outcome.within_saves)
    assert outcome.kills == KILLS
    assert outcome.weights == 0.0
    assert outcome.rows
