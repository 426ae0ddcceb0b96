"""``python -m harl_tf recipes``: what recipes there are and where their figures come from."""

import argparse
import textwrap

from harl_tf.commands.refusal import CommandError, nearest
from harl_tf.recipes import RECIPES, Recipe


def run(arguments: argparse.Namespace) -> None:
    """Lists the recipes, or prints one."""
    if arguments.name is None:
        width = max(map(len, RECIPES))
        for recipe in RECIPES.values():
            print(f"{recipe.name:{width}}  {recipe.title}")
        print("\nOne line by line, with sources: python -m harl_tf recipes NAME")
        return
    print(in_words(find(arguments.name)), end="")


def find(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        CommandError: If there is none, with the nearest names.

    Example:
        >>> find("harl_1000").epochs
        1000
    """
    if name not in RECIPES:
        meant = nearest(name, RECIPES)
        more = f"Is it {meant}?" if meant else "They are listed by: python -m harl_tf recipes"
        raise CommandError(f"There is no recipe {name!r}. {more}")
    return RECIPES[name]


def in_words(recipe: Recipe) -> str:
    """A recipe as a table of setting, value and source.

    A line that was changed says what the published recipe of that name has.

    Example:
        >>> print(in_words(find("simclr_100")))
        simclr_100: SimCLR (Chen et al. 2020), 100 epochs, batch 4096
        <BLANKLINE>
        method   SimCLR — README.md of google-research/simclr, the paper's default
        ...
    """
    published = {line.name: line.value for line in RECIPES[recipe.name].lines()}
    lines = recipe.lines()
    width = max(len(line.name) for line in lines) + 2
    rows = [f"{recipe.name}: {recipe.title}", ""]
    for line in lines:
        source = line.source
        if published.get(line.name) != line.value:
            source = f"your own; the recipe has {published.get(line.name, 'none')}"
        rows.append(f"{line.name:{width}}{line.value} — {source}")
    if recipe.notes:
        rows += ["", "Done otherwise than in the source, or worth knowing:"]
    for note in recipe.notes:
        rows += textwrap.wrap(note, 96, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(rows) + "\n"
