"""Shortest paths between all nodes of a small graph, compiled.

With SciPy's, the default mask takes a twentieth longer (docs/design.md).
"""

import numpy as np
from numpy.typing import NDArray

from mask_generation.compiled import compiled


@compiled()
def shortest_paths(edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lengths of the shortest paths between all nodes of a graph (Floyd and Warshall).

    Args:
        edges: ``(n, n)`` float32, at least 0, with 0 on the diagonal and infinity where there is no
            edge.

    Returns:
        ``(n, n)`` float32; infinity where there is no path.

    Example:
        >>> inf = np.inf
        >>> path = np.array([[0, 1, inf], [1, 0, 2], [inf, 2, 0]], np.float32)
        >>> shortest_paths(path).tolist()
        [[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]]
    """
    length = edges.copy()
    count = len(length)
    for middle in range(count):
        for start in range(count):
            first = length[start, middle]
            if first < np.inf:
                for end in range(count):
                    length[start, end] = min(length[start, end], first + length[middle, end])
    return length
