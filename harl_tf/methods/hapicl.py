"""HAPiCL: pixel-level contrastive learning guided by foreground masks.

Owns the combination of an instance branch with the pixel branch.
"""

from typing import Any

import keras

from harl_tf.methods.pixel_contrast import PixelContrast
from harl_tf.methods.simclr import InstanceContrast
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.model import Pretraining
from harl_tf.schedules import Schedule


@keras.saving.register_keras_serializable(package="harl_tf")
class HAPiCL(Pretraining):
    """Heuristic Attention Pixel-Level Contrastive Learning, combined with an instance branch.

    One backbone sees two views of each image. Its last feature map is pooled and passed to the
    instance branch, which contrasts the image with all other images or predicts its other view. A
    feature map, not pooled, also passes through a pixel head, and each cell is contrasted with the
    cells of the other region (foreground or background) in the other view of the same image. The
    loss is ``instance + pixel_weight * pixel``.

    Tran et al., HAPiCLR: heuristic attention pixel-level contrastive loss representation learning
    for self-supervised pretraining, The Visual Computer (2024), doi 10.1007/s00371-023-03217-x.

    Args:
        backbone: A model made by ``harl_tf.backbones.resnet`` or ``feature_pyramid``.
        instance: The instance branch: ``harl_tf.methods.InstanceContrast()`` (NT-Xent),
            ``MomentumContrast()`` (MoCo's queue), ``Bootstrap()`` (BYOL) or ``RegionBootstrap()``
            (HARL). Default: NT-Xent.
        pixel: The pixel branch, ``harl_tf.methods.PixelContrast(...)``, whose arguments select the
            variants of the loss. Default: ``PixelContrast()``. If its ``momentum_keys`` is not set,
            keys come from the target network whenever the instance branch has one.
        pixel_weight: Weight of the pixel loss, a number or a schedule. Default: 1.
        momentum: Momentum of the target network, if there is one. Default: 0.99.
        **options: Arguments of ``Pretraining``: ``augmentations``, ``share_batch_statistics``
            (default: True if there is no target network), ``name``.

    Example:
        >>> pixel = harl_tf.methods.PixelContrast(level="P4")
        >>> model = harl_tf.HAPiCL(resnet(18), pixel=pixel, pixel_weight=0.5)
        >>> model.compile(keras.optimizers.SGD(0.1))
    """

    def __init__(
        self,
        backbone: keras.Model,
        instance: Branch | None = None,
        pixel: PixelContrast | None = None,
        pixel_weight: Schedule = 1.0,
        momentum: Schedule = 0.99,
        **options: Any,
    ) -> None:
        instance = InstanceContrast() if instance is None else instance
        pixel = PixelContrast(regions=options.get("regions") or 2) if pixel is None else pixel
        if pixel.momentum_keys is None:
            pixel.momentum_keys = instance.uses_target
        uses_target = instance.uses_target or pixel.uses_target
        super().__init__(
            backbone,
            {"instance": instance, "pixel": pixel},
            {"pixel": pixel_weight},
            momentum=momentum,
            **{"share_batch_statistics": not uses_target, "name": "hapicl", **options},
        )
        self.pixel_weight = pixel_weight

    def method_settings(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**self.branches, "pixel_weight": self.pixel_weight}
