"""How many multiplications a training step consists of.

Owns two published numbers and how often a step of a method has them done; heads and losses, a few
hundredths of it, are left out.
"""

MULTIPLICATIONS = {
    "resnet18_96": 1.8e9 * (96 / 224) ** 2,
    "resnet50_224": 3.8e9,
}
"""Of a forward pass of one view, each with an addition: He et al. 2016, table 1, the first one
scaled from 224 pixels."""

FORWARD_PASSES = {"BYOL": 8, "SimCLR": 6, "HAPiCL": 6}
"""Of one view, in a step on a pair: each view forward, and backward for twice that; with a target
network each view forward once more."""


def operations_of_a_pair(method: str, setting: str) -> float:
    """Multiplications and additions of a step, for each pair of views."""
    return 2 * FORWARD_PASSES[method] * MULTIPLICATIONS[setting]
