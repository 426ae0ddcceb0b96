"""The table of a side-by-side measurement.

Owns its columns: medians and quartiles over rounds, and ratios, which are computed within rounds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.harness.machine import processor
from benchmarks.harness.results import Row
from benchmarks.harness.side_by_side import Result


def summary(result: Result, reference: str, **columns: object) -> list[dict[str, Any]]:
    """Rows of the table.

    Args:
        result: The result of ``side_by_side.run``.
        reference: The contestant that others are divided by.
        **columns: Further columns, the same in all rows.
    """
    rows = []
    for name, turns in result.turns.items():
        if not turns:
            continue
        rates = np.array([turn.rate for turn in turns])
        peer = np.array([turn.rate for turn in result.turns[reference]])
        facts = {key: value for key, value in result.facts[name].items() if key != "ready"}
        low, middle, high = np.percentile(rates, [25, 50, 75])
        first, ratio, third = np.percentile(rates / peer, [25, 50, 75])
        cpu = np.median([1e3 * turn.cpu_seconds / turn.items for turn in turns])
        rows.append(
            {
                **columns,
                "contestant": name,
                "per_second": f"{middle:.2f}",
                "quartiles": f"{low:.2f} {high:.2f}",
                "reference": reference,
                "ratio": f"{ratio:.3f}",
                "ratio_quartiles": f"{first:.3f} {third:.3f}",
                "cpu_milliseconds_each": f"{cpu:.3f}",
                "peak_megabytes": max(turn.peak_megabytes for turn in turns),
                "rounds": len(turns),
                "discarded": result.discarded,
                "facts": " ".join(f"{key}={value}" for key, value in facts.items()),
                "processor": processor(),
            }
        )
    return rows


def by_contestant(rows: Sequence[Row]) -> dict[str, Row]:
    """The row of each contestant; if it is in several groups, that of the first."""
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row["contestant"], row)
    return first
