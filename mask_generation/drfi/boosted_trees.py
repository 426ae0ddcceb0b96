"""Boosted trees that map a region's features to a saliency, and their file.

The trees are LightGBM's, stored as its text, so opening a file runs no code. LightGBM trusts the
numbers in that text and reads memory by them; they are checked first.

Owns the trees' settings, their file and its checks. Does not own which regions are learned from
(``mask_generation.training.drfi``).
"""

import dataclasses
import hashlib
import json
import pathlib
import re
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mask_generation.drfi.features import NAMES
from mask_generation.networks.opening import ModelError
from mask_generation.whole_file import whole_file

FORMAT = "harl_tf DRFI trees"
SCHEMA = 2

# 200 trees as in the paper; the rest are LightGBM's usual values. A third of the features per tree
# makes trees differ. Results must not depend on the number of threads.
_PARAMETERS = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.3,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
# One number for each region, a probability.
_HEADER = {
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "max_feature_idx": str(len(NAMES) - 1),
    "objective": "binary sigmoid:1",
}
_HINT = "Make one with: python -m mask_generation train-drfi PHOTOS MODEL."


@dataclasses.dataclass(frozen=True)
class BoostedTrees:
    """Trees that say how salient a region is, and the settings of its features.

    Attributes:
        trees: The trees as LightGBM writes them.
        work_size: Longer side in pixels at which images are described.
        scales: Of the segmentations.
        trained_on: What the trees were trained on, in words.
    """

    trees: str
    work_size: int
    scales: tuple[float, ...]
    trained_on: str

    @property
    def count(self) -> int:
        """Number of trees."""
        return self.trees.count("\nTree=")

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """How salient regions are.

        Args:
            features: (n, features) float32.

        Returns:
            (n,) float64 in [0, 1], the probability of being foreground.
        """
        return np.asarray(self._booster.predict(features, num_threads=1), np.float64)

    @cached_property
    def _booster(self) -> Any:
        return _lightgbm().Booster(model_str=self.trees)

    def save(self, path: str | pathlib.Path) -> None:
        """Writes the trees; an older file is replaced when the new one is whole.

        Args:
            path: File to write, usually ``*.json``. The same trees give the same bytes.

        Raises:
            OSError: If it cannot be written.
        """
        contents = {
            "format": FORMAT,
            "schema": SCHEMA,
            "features": list(NAMES),
            "work_size": self.work_size,
            "scales": list(self.scales),
            "trained_on": self.trained_on,
            "trees": self.trees,
        }
        contents["sha256"] = _digest(contents)
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(contents, indent=1), encoding="utf-8")


def fit(
    features: NDArray[np.float32], labels: NDArray[np.float32], count: int, seed: int, threads: int
) -> str:
    """Grows trees.

    Args:
        features: (n, features) float32.
        labels: (n,), 1 for foreground and 0 for background.
        count: Number of trees.
        seed: Of the features that each tree looks at.
        threads: Threads to use; the trees do not depend on it.

    Returns:
        The trees as LightGBM writes them, without what it adds about the training.

    Raises:
        ModelError: If the regions are too few to tell them apart, or LightGBM is not installed.
    """
    lightgbm = _lightgbm()
    parameters = _PARAMETERS | {"seed": seed, "num_threads": threads}
    booster = lightgbm.train(parameters, lightgbm.Dataset(features, labels), count)
    text: str = booster.model_to_string()
    if "\nnum_leaves=1\n" in text:
        raise ModelError(
            f"Expected regions enough to learn from. Received: {len(labels)} regions, in which "
            "LightGBM finds nothing that parts foreground from background. Use more photographs."
        )
    # Without the places at which trees begin, which LightGBM would believe, and the parameters,
    # among them the number of threads.
    return re.sub(r"\ntree_sizes=.*", "", text[: text.index("\nfeature_importances:")])


def load(path: str | pathlib.Path) -> BoostedTrees:
    """Reads trees that ``save`` wrote.

    Args:
        path: The file.

    Returns:
        The trees.

    Raises:
        ModelError: If it is something else, of another version, or damaged, or LightGBM is not
            installed.

    Example:
        >>> load("no/such/drfi.json")
        Traceback (most recent call last):
        mask_generation.networks.opening.ModelError: The model no/such/drfi.json ...
    """
    try:
        contents = json.loads(pathlib.Path(path).read_bytes())
    except OSError as error:
        raise ModelError(f"The model {path} cannot be opened: {error.strerror}. {_HINT}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(_something_else(path)) from error
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise ModelError(_something_else(path))
    if contents.get("schema") != SCHEMA or contents.get("features") != list(NAMES):
        raise ModelError(
            f"Expected a model of DRFI of schema {SCHEMA}. Received: {path}, of schema "
            f"{contents.get('schema')!r:.50} or for other features of the regions. {_HINT}"
        )
    if contents.pop("sha256", None) != _digest(contents) or not _sound(contents.get("trees")):
        raise ModelError(f"{path} is damaged: its checksum does not match. {_HINT}")
    _lightgbm()  # that it is missing is known before the first photograph
    try:
        return BoostedTrees(
            trees=contents["trees"],
            work_size=int(contents["work_size"]),
            scales=tuple(contents["scales"]),
            trained_on=str(contents["trained_on"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(_something_else(path)) from error


def _something_else(path: str | pathlib.Path) -> str:
    return f"Expected a model of DRFI. Received: {path}, something else. {_HINT}"


def _digest(contents: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


def _lightgbm() -> Any:
    try:
        import lightgbm  # slow to import
    except ImportError as error:
        raise ModelError(
            "Expected LightGBM, which the method drfi needs. Received: no such package. "
            'Install it with: pip install "harl_tf[drfi]".'
        ) from error
    return lightgbm


def _sound(text: Any) -> bool:
    """Whether every walk down the trees ends in a leaf, without leaving the arrays."""
    header, *trees = re.split(r"\nTree=\d+\n", str(text))
    fields = _fields(header)
    return (
        _HEADER.items() <= fields.items()
        and "tree_sizes" not in fields
        and len(trees) > 0
        and all(_sound_tree(_fields(tree)) for tree in trees)
    )


def _sound_tree(fields: dict[str, str]) -> bool:
    try:
        leaves = int(fields["num_leaves"])
        splits = leaves - 1
        names = ("split_feature", "left_child", "right_child", "decision_type")
        feature, left, right, kind = (_integers(fields.get(name, "")) for name in names)
        sizes = [len(fields.get(name, "").split()) for name in ("threshold", "leaf_value")]
    except (KeyError, ValueError, OverflowError):
        return False
    numerical = fields.get("num_cat") == "0" and fields.get("is_linear", "0") == "0"
    if not numerical or leaves < 1 or sizes != [splits, leaves]:
        return False
    inner = np.arange(splits)
    return all(len(array) == splits for array in (feature, left, right, kind)) and bool(
        np.all((feature >= 0) & (feature < len(NAMES)))
        and np.all(kind & 1 == 0)  # no split by categories
        and all(
            np.all((side >= -leaves) & (side < splits) & ((side < 0) | (side > inner)))
            for side in (left, right)
        )
    )


def _integers(words: str) -> NDArray[np.int64]:
    return np.array([int(word) for word in words.split()], np.int64)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
