"""The forest: its trees as plain arrays, evaluated, and stored in a file that cannot run code.

A pickled scikit-learn forest can run any code when it is opened, and opens only in the version that
wrote it. The file here is an ``.npz`` of numbers and one line of JSON.

Owns the evaluation and the file. Does not own how the trees are grown
(``mask_generation.training.drfi``).
"""

import dataclasses
import hashlib
import json
import pathlib
import zipfile
import zlib
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from mask_generation.drfi.features import NAMES
from mask_generation.networks.opening import ModelError
from mask_generation.whole_file import whole_file

FORMAT = "harl_tf DRFI forest"
SCHEMA = 1

_TYPES = {
    "root": np.int32,
    "left": np.int32,
    "right": np.int32,
    "feature": np.int16,
    "threshold": np.float64,
    "value": np.float64,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Forest:
    """Regression trees, their nodes one after another, and the settings of their features.

    Attributes:
        root: (trees,) int32, the node each tree begins at.
        left: (nodes,) int32, the next node where the feature is at most the threshold; -1 in a
            leaf.
        right: (nodes,) int32, the next node otherwise.
        feature: (nodes,) int16, column of the features that a node looks at.
        threshold: (nodes,) float64.
        value: (nodes,) float64, the answer of a leaf.
        work_size: Longer side in pixels at which images are described.
        scales: Of the segmentations.
        trained_on: What the forest was trained on, in words.
    """

    root: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]
    work_size: int
    scales: tuple[float, ...]
    trained_on: str

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The mean answer of the trees.

        Args:
            features: (n, features) float32.

        Returns:
            (n,) float64, what scikit-learn's ``predict`` gives.
        """
        return _mean_of_trees(
            features, self.root, self.left, self.right, self.feature, self.threshold, self.value
        )

    def save(self, path: str | pathlib.Path) -> None:
        """Writes the forest; an older file is replaced when the new one is whole.

        Args:
            path: File to write, usually ``*.npz``. The same forest gives the same bytes.

        Raises:
            OSError: If it cannot be written.
        """
        arrays = {name: getattr(self, name) for name in _TYPES}
        header: dict[str, Any] = {
            "format": FORMAT,
            "schema": SCHEMA,
            "features": list(NAMES),
            "work_size": self.work_size,
            "scales": list(self.scales),
            "trained_on": self.trained_on,
        }
        header["sha256"] = _digest(header, arrays)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)


def from_sklearn(
    regressor: Any, work_size: int, scales: tuple[float, ...], trained_on: str
) -> Forest:
    """Copies the trees of a fitted scikit-learn forest.

    Args:
        regressor: A fitted ``RandomForestRegressor`` or ``ExtraTreesRegressor`` of one output.
        work_size: Longer side in pixels at which images are described.
        scales: Of the segmentations.
        trained_on: What it was trained on, in words.

    Returns:
        The same forest.
    """
    trees = [estimator.tree_ for estimator in regressor.estimators_]
    sizes = [tree.node_count for tree in trees]
    root = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def nodes(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    shift = np.repeat(root, sizes)
    leaf = nodes("children_left") < 0
    arrays = {
        "root": root,
        "left": np.where(leaf, -1, nodes("children_left") + shift),
        "right": np.where(leaf, -1, nodes("children_right") + shift),
        "feature": np.where(leaf, 0, nodes("feature")),
        "threshold": np.where(leaf, 0.0, nodes("threshold")),
        "value": np.concatenate([tree.value[:, 0, 0] for tree in trees]),
    }
    typed = {name: arrays[name].astype(dtype) for name, dtype in _TYPES.items()}
    return Forest(**typed, work_size=work_size, scales=scales, trained_on=trained_on)


def load(path: str | pathlib.Path) -> Forest:
    """Reads a forest that ``save`` wrote.

    Args:
        path: The file.

    Returns:
        The forest.

    Raises:
        ModelError: If it is something else, of another version, or damaged.

    Example:
        >>> load("no/such/forest.npz")
        Traceback (most recent call last):
        mask_generation.networks.opening.ModelError: The forest no/such/forest.npz ...
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            arrays = {name: file[name] for name in _TYPES}
    except OSError as error:
        reason = error.strerror or "it is no .npz file"
        raise ModelError(f"The forest {path} cannot be opened: {reason}. {_HINT}") from error
    except (ValueError, KeyError, EOFError, TypeError, AttributeError) as error:
        raise ModelError(
            f"Expected a forest of DRFI. Received: {path}, something else. {_HINT}"
        ) from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{path} is damaged: {error}. {_HINT}") from error
    _check(path, header, arrays)
    return Forest(
        **arrays,
        work_size=int(header["work_size"]),
        scales=tuple(header["scales"]),
        trained_on=str(header["trained_on"]),
    )


_HINT = "Make one with: python -m mask_generation train-drfi PHOTOS FOREST."


def _check(path: str | pathlib.Path, header: Any, arrays: dict[str, NDArray[Any]]) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelError(f"Expected a forest of DRFI. Received: {path}, something else. {_HINT}")
    if header.get("schema") != SCHEMA or header.get("features") != list(NAMES):
        raise ModelError(
            f"Expected a forest of schema {SCHEMA}. Received: {path}, of schema "
            f"{header.get('schema')} or for other features of the regions. {_HINT}"
        )
    stated = header.pop("sha256", None)
    if stated != _digest(header, arrays) or not _sound(arrays):
        raise ModelError(f"{path} is damaged: its checksum does not match. {_HINT}")


def _sound(arrays: dict[str, NDArray[Any]]) -> bool:
    """Whether every walk down the trees ends, without leaving the arrays."""
    nodes = np.arange(len(arrays["left"]))
    inner = arrays["left"] >= 0
    return (
        all(array.ndim == 1 and array.dtype == _TYPES[name] for name, array in arrays.items())
        and all(len(array) == len(nodes) for name, array in arrays.items() if name != "root")
        and len(arrays["root"]) > 0
        and _within(arrays["root"], len(nodes))
        and _within(arrays["feature"], len(NAMES))
        and all(
            _within(arrays[side][inner], len(nodes))
            and bool((arrays[side][inner] > nodes[inner]).all())
            for side in ("left", "right")
        )
    )


def _within(indices: NDArray[Any], end: int) -> bool:
    return bool(((indices >= 0) & (indices < end)).all())


def _digest(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, dtype in _TYPES.items():
        digest.update(name.encode())
        digest.update(arrays[name].astype(np.dtype(dtype).newbyteorder("<")).tobytes())
    return digest.hexdigest()


@numba.njit(cache=True)
def _mean_of_trees(
    features: NDArray[np.float32],
    root: NDArray[np.int32],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    feature: NDArray[np.int16],
    threshold: NDArray[np.float64],
    value: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Follows every row down every tree."""
    means = np.zeros(len(features))
    for row in range(len(features)):
        for start in root:
            node = start
            while left[node] >= 0:
                below = features[row, feature[node]] <= threshold[node]
                node = left[node] if below else right[node]
            means[row] += value[node]
    return means / len(root)
