"""A recipe of the house by its name, one of the user's by its module."""

import pytest

from harl_tf.commands.catalog.find_recipe import find_recipe
from harl_tf.commands.refusal import CommandError
from harl_tf.recipes import RECIPES


@pytest.fixture
def module(tmp_path, monkeypatch):
    def write(text: str) -> None:
        (tmp_path / "users_recipes.py").write_text(text)

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "users_recipes", raising=False)
    return write


def test_recipe_of_a_module(module):
    module("from harl_tf.recipes import RECIPES\nONE = RECIPES['byol_small']\n")
    assert find_recipe("users_recipes:ONE") is RECIPES["byol_small"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("harl_10", "Is it harl_100 or harl_1000"),
        ("no_such_module:ONE", "no module 'no_such_module'"),
        ("harl_tf.no_such:ONE", "no module 'harl_tf.no_such'"),
        ("users_recipes:TWO", "has no recipe 'TWO'. Its recipes are: ONE"),
        ("users_recipes:RECIPES", "has no recipe 'RECIPES'"),
        ("users_recipes:", "has no recipe ''"),
    ],
)
def test_recipe_that_is_not_there(module, name, sentence):
    module("from harl_tf.recipes import RECIPES\nONE = RECIPES['byol_small']\n")
    with pytest.raises(CommandError) as refusal:
        find_recipe(name)
    assert sentence in str(refusal.value)


def test_error_in_the_users_module_is_theirs_to_see(module):
    module("import something_not_installed\n")
    with pytest.raises(ModuleNotFoundError, match="something_not_installed"):
        find_recipe("users_recipes:ONE")
