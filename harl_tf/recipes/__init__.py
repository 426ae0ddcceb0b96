"""Recipes: published settings by name, with a source for every line, and small variants.

``python -m harl_tf recipes`` lists them; in Python they are ``RECIPES``, and
``dataclasses.replace(recipe, batch_size=64)`` changes one.
"""

from harl_tf.recipes.catalog import RECIPES as RECIPES
from harl_tf.recipes.networks import Network as Network
from harl_tf.recipes.networks import ResNet as ResNet
from harl_tf.recipes.networks import SmallResNet as SmallResNet
from harl_tf.recipes.optimizers import AdamWSettings as AdamWSettings
from harl_tf.recipes.optimizers import LARSSettings as LARSSettings
from harl_tf.recipes.optimizers import Rate as Rate
from harl_tf.recipes.optimizers import SGDSettings as SGDSettings
from harl_tf.recipes.over_run import OverRun as OverRun
from harl_tf.recipes.over_run import Part as Part
from harl_tf.recipes.recipe import Line as Line
from harl_tf.recipes.recipe import Recipe as Recipe
