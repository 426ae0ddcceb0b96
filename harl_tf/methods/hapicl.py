"""HAPiCL: pixel-level contrastive learning guided by foreground masks.

Owns how the instance branch and the pixel branch are put together.
"""

from typing import Any

import keras

from harl_tf.methods.pixel_contrast import PixelContrastBranch
from harl_tf.methods.simclr import InstanceContrast
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.feature_maps import Level
from harl_tf.pretraining.model import Pretraining
from harl_tf.schedules import Schedule


@keras.saving.register_keras_serializable(package="harl_tf")
class HAPiCL(Pretraining):
    """Heuristic Attention Pixel-Level Contrastive Learning beside an instance branch.

    One backbone sees two views of each image. Pooled, its last map goes through the instance
    branch: an image is to be told from all other images, or to be predicted. Unpooled, a map goes
    through a pixel head, and each cell is to be told from the cells of the other region, foreground
    or background, in the other view of the same image. The loss is
    ``instance + pixel_weight * pixel``.

    Tran et al., HAPiCLR: heuristic attention pixel-level contrastive loss representation learning
    for self-supervised pretraining, The Visual Computer (2024), doi 10.1007/s00371-023-03217-x.

    Args:
        backbone: A model as ``harl_tf.backbones.resnet`` or ``feature_pyramid`` makes it.
        instance: The instance branch: ``harl_tf.methods.InstanceContrast()`` (NT-Xent),
            ``MomentumContrast()`` (MoCo's queue), ``Bootstrap()`` (BYOL) or ``RegionBootstrap()``
            (HARL). Default: NT-Xent.
        pixel_weight: Weight of the pixel loss, a number or a schedule. Default: 1.
        pixel_units: Channels of the cells' embeddings. Default: 256.
        hidden_units: Width of the pixel head. Default: 2048.
        temperature: Positive, the pixel loss' τ. Default: 0.2.
        foreground_weight: Within [0, 1] or a schedule, the weight of the foreground cells' mean
            loss; the background has the rest. The paper's α. Default: 0.5.
        level: Feature map whose cells are compared, such as ``"P4"``, or several to be fused on the
            finest grid: ``("P4", "P5")`` is the paper's 14×14 map. Default: the last one.
        regions: Number of regions in the masks, the background included; several foreground regions
            share ``foreground_weight``. Default: 2, binary masks.
        boundary_margin: Cells whose foreground share is nearer than this to one half are left out,
            within [0, 0.5]; see ``harl_tf.losses.cell_labels``. Default: 0.
        cells_per_region: Cells that are drawn from each region of each view, before the pixel head;
            keeps fine maps cheap. Default: all cells.
        near: Largest distance of positives in the image, in diagonals of a cell, 0.7 in PixPro.
            Default: positives may lie anywhere.
        prototypes: Whether the mean foreground of every other image of the global batch joins the
            negatives of foreground cells. Default: False.
        pool_regions: Whether each region is pooled to one vector before the pixel head, the
            region-level form of the loss. Default: False.
        reduction: ``"cell"``, one ratio per cell; ``"image"`` or ``"batch"``, the pooled ratios of
            the released code (``harl_tf.losses.pixel_contrast_per_image``, ``_per_batch``).
            Default: ``"cell"``.
        momentum_keys: Whether the keys of the pixel loss come from the target network. Default: as
            the instance branch does.
        momentum: Momentum of the target network, if there is one. Default: 0.99.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``share_batch_statistics``
            (default: if there is no target network), ``name``.

    Raises:
        ValueError: If an argument is out of range, or two do not go together.

    Example:
        >>> model = harl_tf.HAPiCL(resnet(18, output_stride=16), pixel_weight=0.5)
        >>> model.compile(keras.optimizers.SGD(0.1))
    """

    def __init__(
        self,
        backbone: keras.Model,
        instance: Branch | None = None,
        pixel_weight: Schedule = 1.0,
        pixel_units: int = 256,
        hidden_units: int = 2048,
        temperature: float = 0.2,
        foreground_weight: Schedule = 0.5,
        level: Level = None,
        regions: int = 2,
        boundary_margin: float = 0.0,
        cells_per_region: int | None = None,
        near: float | None = None,
        prototypes: bool = False,
        pool_regions: bool = False,
        reduction: str = "cell",
        momentum_keys: bool | None = None,
        momentum: Schedule = 0.99,
        **options: Any,
    ) -> None:
        instance = InstanceContrast() if instance is None else instance
        momentum_keys = instance.uses_target if momentum_keys is None else momentum_keys
        pixel = PixelContrastBranch(
            pixel_units,
            hidden_units,
            temperature,
            foreground_weight,
            level,
            regions,
            boundary_margin,
            cells_per_region,
            near,
            prototypes,
            pool_regions,
            reduction,
            momentum_keys,
        )
        uses_target = instance.uses_target or momentum_keys
        super().__init__(
            backbone,
            {"instance": instance, "pixel": pixel},
            {"pixel": pixel_weight},
            momentum=momentum,
            regions=regions,
            **{"share_batch_statistics": not uses_target, "name": "hapicl", **options},
        )
        self.pixel_weight = pixel_weight

    def method_settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        instance, pixel = self.branches["instance"], self.branches["pixel"]
        return {"instance": instance, "pixel_weight": self.pixel_weight, **pixel.settings()}
