"""HAPiCL's pixel branch: contrast each cell with the cells of other regions of its image.

Owns how cells are chosen, embedded and compared. The formulas are in ``harl_tf.losses``;
``harl_tf.HAPiCL`` adds the instance branch.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from harl_tf.losses import (
    CellLabels,
    cell_distance,
    foreground_prototypes,
    pixel_contrast,
    pixel_contrast_per_batch,
    pixel_contrast_per_image,
    region_average,
)
from harl_tf.losses.temperature import check_temperature
from harl_tf.pretraining.branch import Branch
from harl_tf.pretraining.branch_output import (
    BranchOutput,
    LossTerm,
)
from harl_tf.pretraining.cells import Cells, all_cells, sample_cells, take, take_pairs
from harl_tf.pretraining.feature_maps import Level, as_cells, channels, on_cells, select_map
from harl_tf.pretraining.forward import Forward, TwoViews
from harl_tf.pretraining.heads import mlp_head
from harl_tf.pretraining.noise import example_noise
from harl_tf.schedules import Schedule, value_at

_EQUAL = 0.5
"""``foreground_weight`` where nothing is said: foreground and background count the same."""

_POOLED = {"image": pixel_contrast_per_image, "batch": pixel_contrast_per_batch}


@keras.saving.register_keras_serializable(package="harl_tf")
class PixelContrast(Branch):
    """A pixel head on the cells of a feature map, with the pixel loss in both directions.

    Args:
        projection_units: Channels of the cells' embeddings. Default: 256.
        hidden_units: Width of the pixel head. Default: 2048.
        temperature: Positive, the paper's τ. Default: 0.2.
        foreground_weight: Within [0, 1] or a schedule, the weight of the foreground cells' mean
            loss; the background gets the rest. The paper's α. Default: 0.5.
        level: Feature map whose cells are compared, such as ``"P4"``, or several maps to fuse on
            the finest grid: ``("P4", "P5")`` is the paper's 14×14 map. Default: the last one.
        regions: Number of regions in the masks, the background included; several foreground regions
            share ``foreground_weight``. Default: 2, binary masks.
        boundary_margin: Cells whose foreground share is closer than this to one half are left out,
            within [0, 0.5]; see ``harl_tf.losses.cell_labels``. Default: 0.
        cells_per_region: Number of cells to draw from each region of each view before the pixel
            head; keeps fine maps cheap. Default: all cells.
        distance: Largest distance between positives in the image, in cell diagonals; 0.7 in PixPro.
            Default: positives may lie anywhere.
        prototypes: Whether foreground cells get additional negatives: the mean foreground of every
            other image of the global batch. Default: False.
        pool_regions: Whether each region is pooled to one vector before the pixel head, the
            region-level form of the loss. Default: False.
        reduction: ``"cell"``, one ratio per cell; ``"image"`` or ``"batch"``, the pooled ratios of
            the released code (``harl_tf.losses.pixel_contrast_per_image``, ``_per_batch``).
            Default: ``"cell"``.
        momentum_keys: Whether keys come from the target network. Default: in ``HAPiCL``, True if
            the instance branch uses a target network; elsewhere False.

    Raises:
        ValueError: If an argument is out of range, or two arguments are incompatible.

    Example:
        >>> pixel = PixelContrast(level=("P4", "P5"), cells_per_region=16)
        >>> model = harl_tf.HAPiCL(resnet(18), pixel=pixel)
    """

    def __init__(
        self,
        projection_units: int = 256,
        hidden_units: int = 2048,
        temperature: float = 0.2,
        foreground_weight: Schedule = _EQUAL,
        level: Level = None,
        regions: int = 2,
        boundary_margin: float = 0.0,
        cells_per_region: int | None = None,
        distance: float | None = None,
        prototypes: bool = False,
        pool_regions: bool = False,
        reduction: str = "cell",
        momentum_keys: bool | None = None,
    ) -> None:
        super().__init__(name="pixel_contrast")
        check_temperature(temperature)
        self.projection_units, self.hidden_units = projection_units, hidden_units
        self.temperature, self.foreground_weight = temperature, foreground_weight
        self.level, self.regions, self.boundary_margin = level, regions, boundary_margin
        self.cells_per_region, self.distance = cells_per_region, distance
        self.prototypes, self.pool_regions = prototypes, pool_regions
        self.reduction, self.momentum_keys = reduction, momentum_keys
        self._check_together()
        windows: tuple[str, ...] = () if distance is None else ("window1", "window2")
        self.batch_keys = windows if cells_per_region is None else (*windows, "seed")

    @property
    def uses_target(self) -> bool:  # type: ignore[override]
        """Whether keys come from the target network."""
        return bool(self.momentum_keys)

    def connect(self, maps: Mapping[str, keras.KerasTensor]) -> None:
        """Makes the pixel head, and its target if keys come from the target network."""
        depth = channels(maps, self.level)
        self.pixel_head = mlp_head(depth, self.hidden_units, self.projection_units, "pixel_head")
        if self.momentum_keys:
            self.add_target("pixel_head")

    def loss_terms(self, forward: Forward) -> BranchOutput:
        """Mean over images, then over the two directions."""
        features = select_map(forward.online[0], self.level)
        grid = (features.shape[1], features.shape[2])
        labels = forward.labels(grid, self.boundary_margin, self.regions)
        cells = (
            self._cells(labels[0], forward.views[0].seeds),
            self._cells(labels[1], forward.views[1].seeds),
        )
        queries = self._embed(forward, forward.online, self.pixel_head, labels, cells)
        keys = queries
        if forward.target is not None and self.momentum_keys:
            head = self.targets["pixel_head"]
            keys = self._embed(forward, forward.target, head, labels, cells)
        near = self._near(forward, grid, cells)
        forth = self._direction(forward, queries[0], keys[1], cells[0], cells[1], near)
        if near is not None:
            near = tf.transpose(near, (0, 2, 1))
        back = self._direction(forward, queries[1], keys[0], cells[1], cells[0], near)
        return BranchOutput((forth, back))

    def _cells(self, labels: CellLabels, seeds: tf.Tensor | None) -> Cells:
        if self.pool_regions:
            present = tf.reduce_any(labels.members > 0, axis=1)
            return Cells(tf.ones_like(present, tf.int32) * tf.range(self.regions), present)
        if self.cells_per_region is None:
            return all_cells(labels)
        noise = example_noise(seeds, labels.regions.shape[1])
        return sample_cells(labels, self.cells_per_region, noise)

    def _embed(
        self,
        forward: Forward,
        maps: TwoViews,
        head: keras.Model,
        labels: tuple[CellLabels, CellLabels],
        cells: tuple[Cells, Cells],
    ) -> TwoViews:
        """Embeddings (B, cells, units) of the participating cells of both views."""

        def vectors(view: int) -> tf.Tensor:
            features = as_cells(select_map(maps[view], self.level))
            if self.pool_regions:
                return region_average(features, labels[view].members).vectors
            return take(features, cells[view])

        return forward.through(
            lambda each, training: on_cells(head, each, training), vectors(0), vectors(1)
        )

    def _near(
        self, forward: Forward, grid: tuple[int, int], cells: tuple[Cells, Cells]
    ) -> tf.Tensor | None:
        if self.distance is None:
            return None
        first, second = (view.windows for view in forward.views)
        return take_pairs(cell_distance(first, second, grid, grid) < self.distance, *cells)

    def _direction(
        self,
        forward: Forward,
        queries: tf.Tensor,
        keys: tf.Tensor,
        query_cells: Cells,
        key_cells: Cells,
        near: tf.Tensor | None,
    ) -> LossTerm:
        if self.momentum_keys:
            keys = tf.stop_gradient(keys)
        regions = query_cells.regions, key_cells.regions
        if self.reduction != "cell":
            losses = _POOLED[self.reduction](queries, keys, *regions, self.temperature)
            return LossTerm(losses, weight=0.5)
        further = None
        if self.prototypes:
            further = foreground_prototypes(keys, key_cells.regions, key_cells.valid)
        losses = pixel_contrast(
            queries,
            keys,
            *regions,
            query_cells.valid,
            key_cells.valid,
            self.temperature,
            value_at(self.foreground_weight, forward.step),
            self.regions,
            near,
            further,
        )
        return LossTerm(*losses, weight=0.5)

    def _check_together(self) -> None:
        """Refuses arguments that are out of range or incompatible."""
        if self.reduction not in ("cell", *_POOLED):
            raise ValueError(
                'Expected reduction="cell", "image" or "batch". '
                f"Received: reduction={self.reduction!r}."
            )
        alpha: Any = self.foreground_weight
        if isinstance(alpha, int | float) and not 0 <= alpha <= 1:
            raise ValueError(
                f"Expected foreground_weight within [0, 1]. Received: foreground_weight={alpha}."
            )
        if self.regions < 2:
            raise ValueError(f"Expected regions ≥ 2. Received: regions={self.regions}.")
        if not 0 <= self.boundary_margin <= 0.5:
            raise ValueError(
                "Expected boundary_margin within [0, 0.5]. "
                f"Received: boundary_margin={self.boundary_margin}."
            )
        if self.cells_per_region is not None and self.cells_per_region < 1:
            raise ValueError(
                "Expected cells_per_region ≥ 1, or None. "
                f"Received: cells_per_region={self.cells_per_region}."
            )
        if self.distance is not None and self.distance <= 0:
            raise ValueError(f"Expected distance > 0, or None. Received: distance={self.distance}.")
        options = {
            "boundary_margin": self.boundary_margin,
            "cells_per_region": self.cells_per_region,
            "distance": self.distance,
            "prototypes": self.prototypes,
        }
        refused = [] if self.reduction == "cell" else list(options)
        if refused and self.foreground_weight != _EQUAL:
            options["foreground_weight"] = self.foreground_weight
            refused.append("foreground_weight")
        if self.pool_regions:
            refused += ["cells_per_region", "distance"]
            if self.reduction != "cell":
                options["pool_regions"] = True
                refused.append("pool_regions")
        for option in refused:
            if options[option]:
                by = "pool_regions=True" if self.pool_regions else f"reduction={self.reduction!r}"
                raise ValueError(
                    f"Expected no {option} with {by}, which has no place for it. "
                    f"Received: {option}={options[option]}."
                )
