"""Recipes by the name that a command is given: one of the house, or one of the user's own."""

import importlib

from harl_tf.commands.refusal import CommandError
from harl_tf.recipes import RECIPES, Recipe
from mask_generation.commands.line import nearest


def find_recipe(name: str) -> Recipe:
    """The recipe of a name.

    Args:
        name: A key of ``RECIPES``, or ``module:NAME`` for a ``Recipe`` in a module of the user's,
            which Python must find; that of the current folder it does.

    Raises:
        CommandError: If there is none, with the nearest names.

    Example:
        >>> find_recipe("harl_1000").epochs
        1000
        >>> find_recipe("harl_tf.recipes.small:BYOL_SMALL").name
        'byol_small'
    """
    if ":" in name:
        return _of_module(*name.split(":", 1))
    if name not in RECIPES:
        meant = nearest(name, RECIPES)
        more = f"Is it {meant}?" if meant else "They are listed by: python -m harl_tf recipes"
        raise CommandError(f"There is no recipe {name!r}. {more}")
    return RECIPES[name]


def _of_module(module: str, name: str) -> Recipe:
    try:
        names = vars(importlib.import_module(module))
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # something that the user's own module imports
        raise CommandError(
            f"There is no module {module!r} to take the recipe {name!r} from. Python looks in the "
            "current folder, in those that PYTHONPATH names, and among what is installed."
        ) from None
    recipes = [key for key, value in names.items() if isinstance(value, Recipe)]
    if name not in recipes:
        there = f"Its recipes are: {', '.join(recipes)}." if recipes else "It holds no recipe."
        raise CommandError(f"The module {module!r} holds no recipe {name!r}. {there}")
    recipe: Recipe = names[name]
    return recipe
