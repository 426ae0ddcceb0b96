"""``python -m harl_tf recipes``: the recipes and the sources of their settings."""

import argparse
import textwrap

from harl_tf.commands.catalog.find_recipe import find_recipe
from harl_tf.recipes import RECIPES, Recipe


def run(arguments: argparse.Namespace) -> None:
    """Lists the recipes, or prints one."""
    if arguments.name is None:
        width = max(map(len, RECIPES))
        for recipe in RECIPES.values():
            print(f"{recipe.name:{width}}  {recipe.title}")
        print("\nFor one recipe with its sources: python -m harl_tf recipes RECIPE")
        return
    print(in_words(find_recipe(arguments.name)), end="")


def in_words(recipe: Recipe, backbone: str | None = None) -> str:
    """A recipe as a table of setting, value and source.

    For a changed setting, the source column gives the original recipe's value.

    Args:
        recipe: The recipe.
        backbone: What a run uses in the place of the recipe's backbone. Default: nothing.

    Example:
        >>> print(in_words(find_recipe("simclr_100")))
        simclr_100: SimCLR (Chen et al. 2020), 100 epochs, batch 4096
        <BLANKLINE>
        method   SimCLR — README.md of google-research/simclr, the paper's default
        ...
    """
    known = RECIPES.get(recipe.name, recipe)
    published = {line.name: line.value for line in known.lines()}
    lines = recipe.lines()
    if backbone is not None:
        lines = [
            line._replace(value=backbone) if line.name == "backbone" else line for line in lines
        ]
    width = max(len(line.name) for line in lines) + 2
    rows = [f"{recipe.name}: {recipe.title}", ""]
    for line in lines:
        source = line.source
        if published.get(line.name) != line.value:
            source = f"changed for this run; the recipe has {published.get(line.name, 'none')}"
        rows.append(f"{line.name:{width}}{line.value} — {source}")
    if recipe.notes:
        rows += ["", "Differences from the source, and notes:"]
    for note in recipe.notes:
        rows += textwrap.wrap(note, 96, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(rows) + "\n"
