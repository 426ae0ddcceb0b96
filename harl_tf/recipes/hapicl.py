"""HAPiCL (published as HAPiCLR) with the settings of its authors' scripts.

"HAPiCLR" is TranNhiem/HAPiCLR, MIT license, commit 083a683; the scripts are in
``bash_files/pretrain/imagenet``. The paper is Tran et al., The Visual Computer 2024, doi
10.1007/s00371-023-03217-x; its tables were not available to us.
"""

import dataclasses

from harl_tf import methods
from harl_tf.layers import RandomColor, byol_colors
from harl_tf.recipes.optimizers import LARSSettings, Rate, SGDSettings
from harl_tf.recipes.over_run import OverRun, Part
from harl_tf.recipes.recipe import Recipe
from harl_tf.recipes.sources import RATE_IN_MOMENTUM, cited
from harl_tf.recipes.views import FOREGROUND_CROPS


def mscrl_colors() -> tuple[RandomColor, RandomColor]:
    """Colors of MSCRL.sh: SimCLR's, with hue rotations of up to 0.3.

    Example:
        >>> mscrl_colors()[0].strengths["hue"]
        0.3
    """
    first, second = (RandomColor(0.8, 0.8, 0.8, 0.3) for _ in range(2))
    return first, second


_PROJECTOR = "The projector has batch normalization; the authors' has none."
_DENOMINATOR = (
    "The denominator of the loss spans the global batch; the authors' spans the batch of one GPU."
)
_NOTES = (
    "No vertical flips: the authors' code flips half of the views upside down.",
    "A cell is foreground if at least half of it is; in the authors' code, if any of it is.",
    "The learning rate changes with every update, the authors' once per epoch; the warm-up starts "
    "at 0 instead of 3e-5.",
    "The authors' masks come from a trained saliency network; those of mask_generation do not.",
)

_PIXEL = {"projection_units": 2048, "hidden_units": 2048, "temperature": 0.2}

HAPICL_SIMCLR = Recipe(
    name="hapicl_simclr",
    title="HAPiCL with SimCLR's instance branch, 100 epochs, batch 1024",
    method=methods.HAPiCL,
    settings={
        "instance": Part(
            methods.InstanceContrast,
            {"projection_units": 128, "hidden_units": 2048, "temperature": 0.2},
        ),
        "pixel": Part(methods.PixelContrast, {**_PIXEL, "reduction": "batch"}),
        "pixel_weight": 1.0,
    },
    batch_size=1024,
    epochs=100,
    crops=FOREGROUND_CROPS[30],
    colors=mscrl_colors,
    optimizer=LARSSettings(Rate(0.3, warmup_epochs=10), weight_decay=1e-6, clip_trust=True),
    precision="mixed_float16",
    sources={
        "method": "MSCRL.sh: --method mscrl --loss_type pixel_lavel_ontrastive_new_background",
        "instance": "NT-Xent, mscrl.py:371; see the notes",
        "pixel": "the new background loss, losses/mscrl.py:391",
        "pixel.reduction": "pixel_lavel_ontrastive_new, losses/mscrl.py:391",
        "pixel_weight": "mscrl.py:408: 1 without --alpha",
        "pixel.temperature": "mscrl.py: the pixel loss is called with 0.2",
        **cited("defaults of mscrl.py", "instance.projection_units", "pixel.hidden_units"),
        "batch_size": "MSCRL.sh: 512 on each of 2 GPUs",
        "crops": "MSCRL.sh: --crop_style Mask_boxes_0.3; solo-learn's area, flips with 0.5",
        "colors": "MSCRL.sh: jitter 0.8/0.8/0.8/0.3; blur 0.5, gray 0.2: solo-learn's defaults",
        "image_size": "default of solo-learn, 224",
        "optimizer.warmup_epochs": "default of solo-learn (methods/base.py), unchanged by MSCRL.sh",
        "optimizer.momentum": "solo-learn (args/utils.py)",
        "optimizer.rate_in_momentum": "lars.py (solo-learn) wraps PyTorch's SGD",
        **cited(
            "MSCRL.sh",
            *(
                "instance.hidden_units",
                "instance.temperature",
                "pixel.projection_units",
                "backbone",
            ),
            *("epochs", "optimizer", "optimizer.base_rate", "optimizer.weight_decay"),
            *("optimizer.trust_coefficient", "optimizer.clip_trust", "precision"),
        ),
    },
    notes=(
        "As released, the script computes no instance loss and skips the pixel head, because its "
        "loss_type is spelled differently from what the code checks; here both are used.",
        _PROJECTOR,
        _DENOMINATOR,
        *_NOTES,
    ),
)

HAPICL_MOCO = Recipe(
    name="hapicl_moco",
    title="HAPiCL with MoCo's instance branch, 100 epochs, batch 512",
    method=methods.HAPiCL,
    settings={
        "instance": Part(
            methods.MomentumContrast,
            {
                "projection_units": 128,
                "hidden_units": 2048,
                "temperature": 0.1,
                "queue_size": 65536,
                "symmetric": True,
            },
        ),
        "pixel": Part(methods.PixelContrast, {**_PIXEL, "reduction": "batch"}),
        "pixel_weight": 1.0,
        "momentum": OverRun(0.99, 0.999),
    },
    batch_size=512,
    epochs=100,
    crops=FOREGROUND_CROPS[30],
    colors=byol_colors,
    optimizer=SGDSettings(Rate(0.3, warmup_epochs=10), weight_decay=3e-5),
    precision="mixed_float16",
    sources={
        "method": "mocov2plus_MPLCL.sh: --method moco_MPLCL",
        **cited("mocov2plus_MPLCL.py:252", "instance", "instance.symmetric", "pixel"),
        "pixel.reduction": "mocov2plus_MPLCL.py:252",
        "pixel_weight": "not confirmed: the script leaves the pixel loss out by mistake",
        "pixel.temperature": "mocov2plus_MPLCL.py: the pixel loss is called with 0.2",
        **cited(
            "defaults of mocov2plus_MPLCL.py", "instance.projection_units", "pixel.hidden_units"
        ),
        "batch_size": "mocov2plus_MPLCL.sh: 512 on one GPU",
        "crops": "mocov2plus_MPLCL.sh: --crop_style Mask_boxes_0.3; solo-learn's area and flips",
        "image_size": "default of solo-learn, 224",
        "optimizer.warmup_epochs": "default of solo-learn (methods/base.py)",
        "optimizer.momentum": "solo-learn (args/utils.py)",
        **cited(
            "mocov2plus_MPLCL.sh",
            *("instance.hidden_units", "instance.temperature", "instance.queue_size"),
            *("pixel.projection_units", "momentum", "backbone", "epochs", "colors", "optimizer"),
            *("optimizer.base_rate", "optimizer.weight_decay", "precision"),
        ),
    },
    notes=(
        "As released, the script computes the pixel loss but does not return it; here it is used.",
        "There is one queue, of the second view's keys; the authors' code has one for each view.",
        _DENOMINATOR,
        RATE_IN_MOMENTUM,
        *_NOTES,
    ),
)

_FUSED = "name of the model in coco_R_50_C4_2x.yaml (HAPiCLR)"

HAPICL_FUSED_14X14 = dataclasses.replace(
    HAPICL_SIMCLR,
    name="hapicl_fused_14x14",
    title="HAPiCL on the fused 14×14 map of the paper's detection model, 100 epochs, batch 512",
    settings={
        **HAPICL_SIMCLR.settings,
        "pixel": Part(
            methods.PixelContrast, {**_PIXEL, "level": ("P4", "P5"), "reduction": "image"}
        ),
    },
    batch_size=512,
    sources={
        **dict.fromkeys(HAPICL_SIMCLR.sources, "as MSCRL.sh; not confirmed for this run"),
        "method": f"{_FUSED}: mscrl-imagenet-pixel_level_contrastive_background",
        "pixel.level": f"{_FUSED}: catfeatureup14",
        "pixel.projection_units": f"{_FUSED}: dim2048",
        "epochs": f"{_FUSED}: 100ep",
        "batch_size": f"{_FUSED}: batch512",
        "pixel.reduction": f"{_FUSED}: pixel_level_contrastive_background; losses/mscrl.py:320",
        "instance": "not confirmed: the name has none, but the pixel loss alone collapses",
    },
    notes=(
        "That the map joins conv4 and upsampled conv5 at 14×14 is inferred from the model's name.",
        _PROJECTOR,
        *_NOTES,
    ),
)
