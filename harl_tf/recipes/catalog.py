"""All recipes by name."""

from harl_tf.recipes import bootstrap, contrastive, hapicl, harl, small
from harl_tf.recipes.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        harl.HARL_100,
        harl.HARL_300,
        harl.HARL_1000,
        hapicl.HAPICL_SIMCLR,
        hapicl.HAPICL_MOCO,
        hapicl.HAPICL_FUSED_14X14,
        contrastive.SIMCLR_100,
        contrastive.MOCO_V2_200,
        contrastive.MOCO_V2_800,
        contrastive.DENSECL_200,
        bootstrap.BYOL_100,
        bootstrap.BYOL_300,
        bootstrap.BYOL_1000,
        bootstrap.SIMSIAM_100,
        bootstrap.PIXPRO_100,
        bootstrap.PIXPRO_400,
        bootstrap.DETCON_B_100,
        small.HAPICL_SMALL,
        small.HAPICL_MOCO_SMALL,
        small.HARL_SMALL,
        small.SIMCLR_SMALL,
        small.MOCO_V2_SMALL,
        small.DENSECL_SMALL,
        small.BYOL_SMALL,
        small.SIMSIAM_SMALL,
        small.PIXPRO_SMALL,
        small.DETCON_SMALL,
    )
}
"""Every recipe under its name, the published ones first."""
