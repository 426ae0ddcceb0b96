"""Which images keep their labels when only a few may: 1 %, 10 %, or so many of each class."""

import numpy as np

from harl_tf.evaluation.labels import check_labels


def few_labels(
    labels: np.ndarray, share: float | None = None, per_class: int | None = None, seed: int = 0
) -> np.ndarray:
    """Draws a part of every class.

    Semi-supervised evaluation trains on 1 % or 10 % of the labels. For ImageNet use the published
    lists of SimCLR instead, with which the papers' figures were made.

    Args:
        labels: ``(images,)`` ints from 0.
        share: Share of every class to draw, within (0, 1]; at least one image of each.
        per_class: Images of every class to draw, instead of a share.
        seed: The same draw for the same seed. Draws of the same seed are nested: a larger one
            contains a smaller one. Default: 0.

    Returns:
        ``(images,)`` bool.

    Raises:
        ValueError: If not exactly one of ``share`` and ``per_class`` is given or it is out of
            range, or a class has fewer images than ``per_class``.

    Example:
        >>> labels = np.repeat([0, 1], [100, 3])
        >>> np.bincount(labels, few_labels(labels, share=0.1)).tolist()
        [10.0, 1.0]
    """
    labels = check_labels(labels)
    if (share is None) == (per_class is None):
        raise ValueError(
            f"Expected either share or per_class. Received: share={share}, per_class={per_class}."
        )
    if share is not None and not 0 < share <= 1:
        raise ValueError(f"Expected share within (0, 1]. Received: share={share}.")
    if per_class is not None and per_class < 1:
        raise ValueError(f"Expected per_class ≥ 1. Received: per_class={per_class}.")
    drawn = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        # A generator of its own, so that a class's draw does not depend on the others' sizes.
        random = np.random.default_rng((seed, int(label)))
        members = random.permutation(np.flatnonzero(labels == label))
        count = per_class if share is None else max(1, round(share * len(members)))
        assert count is not None
        if count > len(members):
            raise ValueError(
                f"Expected at least {count} images of every class. "
                f"Received: {len(members)} of class {label}."
            )
        drawn[members[:count]] = True
    return drawn
