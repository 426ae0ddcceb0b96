"""``python -m harl_tf presets``: the pretrained backbones that have names."""

import argparse

from harl_tf.zoo import list_presets


def run(arguments: argparse.Namespace) -> None:
    """Prints their table."""
    print(list_presets())
