"""Checks with readable errors: of a model, and of replicas that share batches."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from harl_tf import distribution
from harl_tf.data import PairedViews


def check_model(
    backbone: Any, regions: int, momentum: Any, augmentations: Sequence[keras.layers.Layer]
) -> None:
    """Checks the arguments of a model.

    Raises:
        ValueError: If an argument is not as ``Pretraining`` documents it.

    Example:
        >>> check_model(resnet(18), 2, 0.99, [keras.layers.Identity()] * 2)
    """
    if not isinstance(getattr(backbone, "output", None), dict):
        raise ValueError(
            "Expected a backbone whose output is a dict of feature maps, such as "
            "harl_tf.backbones.resnet(50) or harl_tf.backbones.feature_pyramid(network). "
            f"Received: {backbone!r}."
        )
    if regions < 2:
        raise ValueError(f"Expected regions ≥ 2. Received: regions={regions}.")
    if isinstance(momentum, int | float) and not 0 <= momentum <= 1:
        raise ValueError(f"Expected momentum within [0, 1]. Received: momentum={momentum}.")
    if len(augmentations) != 2:
        raise ValueError(
            "Expected two augmentations, one for each view. "
            f"Received: {len(augmentations)} of them."
        )


def check_regions(branches: Mapping[str, Any], regions: int) -> None:
    """Refuses branches that distinguish other regions than the masks have.

    A branch that tells only foreground and background apart may have any masks.

    Raises:
        ValueError: If there is one.

    Example:
        >>> check_regions({"pixel": harl_tf.methods.PixelContrast(regions=3)}, 4)
        Traceback (most recent call last):
        ValueError: Expected regions=4, the model's, of the branch 'pixel', too. Received: 3. ...
    """
    for name, branch in branches.items():
        takes = inspect.signature(type(branch)).parameters
        if "regions" in takes and branch.regions != regions:
            raise ValueError(
                f"Expected regions={regions}, the model's, of the branch {name!r}, too. Received: "
                f"{branch.regions}. Others would count as background: give the branch the "
                "number of regions of the masks."
            )


def check_weights(branches: Mapping[str, Any], weights: Mapping[str, Any]) -> None:
    """Refuses a weight of a branch that there is not.

    Raises:
        ValueError: If there is one.

    Example:
        >>> check_weights({"pixel": None}, {"pixels": 0.5})
        Traceback (most recent call last):
        ValueError: Expected weights of the branches 'pixel'. Received: one of 'pixels'.
    """
    for name in weights:
        if name not in branches:
            known = ", ".join(map(repr, branches))
            raise ValueError(
                f"Expected weights of the branches {known}. Received: one of {name!r}."
            )


def check_metric_names(names: Sequence[str]) -> None:
    """Refuses metrics of the same name, of which the logs would show one.

    Raises:
        ValueError: If there are any.

    Example:
        >>> check_metric_names(["loss", "alignment", "alignment"])
        Traceback (most recent call last):
        ValueError: Expected metrics of different names from the branches; ... twice 'alignment'.
    """
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise ValueError(
            "Expected metrics of different names from the branches; rename a branch, a term or a "
            f"metric. Received: twice {twice[0]!r}."
        )


def check_replicas(x: Any, replicas: int, workers: int = 1) -> None:
    """Checks that replicas can share the batches of a stream evenly.

    A method's loss compares the images of the global batch, so every replica must have as many.

    Args:
        x: What ``fit`` or ``evaluate`` was given.
        replicas: Number of replicas.
        workers: Number of workers the replicas belong to. Several workers each read the stream
            independently, and only a ``PairedViews`` can give each its own part. Default: 1.

    Raises:
        ValueError: If they cannot, or if ``x`` is a plain data set and there are several workers,
            which would all train on the same rows.

    Example:
        >>> views = {"view1": tf.zeros((4, 8, 8, 3))}
        >>> check_replicas(tf.data.Dataset.from_tensors(views), replicas=2)
    """
    if replicas == 1 or distribution.is_distributed(x):
        return
    if isinstance(x, PairedViews):
        size = x.batch_size
    elif workers > 1:
        raise ValueError(
            f"Expected harl_tf.data.PairedViews under {workers} workers, which gives each its own "
            "rows of a batch; with anything else all would read the same rows. "
            f"Received: {type(x).__name__}."
        )
    elif isinstance(x, tf.data.Dataset):
        size = _rows_of(x)
    else:
        raise ValueError(
            f"Expected harl_tf.data.PairedViews or a tf.data.Dataset of its batches on {replicas} "
            f"replicas. Received: {type(x).__name__}."
        )
    if size % replicas:
        raise ValueError(
            f"Expected a batch_size that {replicas} replicas share evenly, such as "
            f"{size - size % replicas or replicas}. Received: batch_size={size}."
        )


def _rows_of(dataset: tf.data.Dataset) -> int:
    """Rows in every batch; 0 if there is no "view1", which the step will say in its own words."""
    spec = dataset.element_spec
    if not isinstance(spec, Mapping) or "view1" not in spec:
        return 0
    rows = spec["view1"].shape[0]
    if rows is None:
        raise ValueError(
            "Expected batches that all have the same number of rows on several replicas, as made "
            "by dataset.batch(size, drop_remainder=True). Received: a data set whose batches may "
            "differ in size."
        )
    return int(rows)
