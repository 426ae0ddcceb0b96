"""The number of multiplications in a training step.

Owns two published numbers and how often a method's step performs them; heads and losses, a few
percent, are ignored.
"""

MULTIPLICATIONS = {
    "resnet18_96": 1.8e9 * (96 / 224) ** 2,
    "resnet50_224": 3.8e9,
}
"""Multiplications, each with an addition, in the forward pass of one view: He et al. 2016, table 1,
the first one scaled from 224 pixels."""

FORWARD_PASSES = {"BYOL": 8, "SimCLR": 6, "HAPiCL": 6}
"""Forward passes of one view that a step on a pair costs: each view forward, and backward for twice
that; with a target network, each view forward once more."""


def operations_of_a_pair(method: str, setting: str) -> float:
    """Multiplications and additions of a step, per pair of views."""
    return 2 * FORWARD_PASSES[method] * MULTIPLICATIONS[setting]
