"""Looking up the recipe a command names: a built-in one or the user's own."""

import importlib

from harl_tf.commands.refusal import CommandError
from harl_tf.recipes import RECIPES, Recipe
from mask_generation.commands.line import nearest


def find_recipe(name: str) -> Recipe:
    """The recipe with a given name.

    Args:
        name: A key of ``RECIPES``, or ``module:NAME`` for a ``Recipe`` in a module of the user's
            own that Python can import; the current folder is searched.

    Raises:
        CommandError: If there is none; the message suggests similar names.

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
        more = f"Is it {meant}?" if meant else "To list them: python -m harl_tf recipes"
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
            "current folder, in the folders of PYTHONPATH and in the installed packages."
        ) from None
    recipes = [key for key, value in names.items() if isinstance(value, Recipe)]
    if name not in recipes:
        there = f"Its recipes are: {', '.join(recipes)}." if recipes else "It has no recipes."
        raise CommandError(f"The module {module!r} has no recipe {name!r}. {there}")
    recipe: Recipe = names[name]
    return recipe
