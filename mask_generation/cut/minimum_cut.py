"""Minimum cut of a graph of pixels, each tied to its eight neighbours and to two terminals.

The algorithm of Boykov and Kolmogorov, "An Experimental Comparison of Min-Cut/Max-Flow Algorithms
for Energy Minimization in Vision", PAMI 2004: two trees grow from the terminals, flow is pushed
where they meet, and nodes that this cuts off look for another parent nearby. The grid is kept in
arrays, so there are no pointers to follow.

Owns: the cut of given capacities. Does not own: where the capacities come from
(``mask_generation.cut.grabcut_energy``).
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

NEIGHBORS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
"""Rows and columns to the neighbour in each of the eight directions; direction d ^ 1 leads back."""

_FREE, _SOURCE, _SINK = 0, 1, 2
# In place of a direction to the parent: the terminal itself, or none (yet).
_TERMINAL, _NONE = 8, 9
_FAR = 1 << 30

_compiled: Any = numba.njit(cache=True)


class _Graph(NamedTuple):
    """Residual capacities: from and to the terminals, between neighbours; where neighbours lie."""

    excess: _Floats
    capacity: _Floats
    offsets: NDArray[np.int32]


class _Trees(NamedTuple):
    """Of every pixel: tree, direction of the parent, steps to the terminal and when counted."""

    tree: NDArray[np.uint8]
    parent: NDArray[np.int8]
    distance: NDArray[np.int32]
    time: NDArray[np.int32]


class _Active(NamedTuple):
    """Pixels to grow from, first in, first out: a ring, its start and end, and its members."""

    ring: NDArray[np.int32]
    ends: NDArray[np.int32]
    waiting: NDArray[np.bool_]


def minimum_cut(excess: _Floats, capacity: _Floats) -> NDArray[np.bool_]:
    """The source's side of a cut of least capacity.

    Args:
        excess: ``(H + 2, W + 2)`` float32, capacity from the source where positive, to the sink
            where negative; 0 on the border, so that the search need not ask whether a neighbour
            exists.
        capacity: ``(H + 2, W + 2, 8)`` float32, at least 0, to the neighbours in the order of
            :data:`NEIGHBORS`; 0 from and to the border. It is overwritten with the residual
            capacities.

    Returns:
        ``(H, W)`` bool, True on the source's side.

    Example:
        >>> excess = np.zeros((3, 4), np.float32)
        >>> excess[1, 1:3] = 2.0, -1.0  # two pixels that want to be on either side
        >>> capacity = np.zeros((3, 4, 8), np.float32)
        >>> capacity[1, 1, 0] = capacity[1, 2, 1] = 3.0  # and are held together more strongly
        >>> minimum_cut(excess, capacity).tolist()
        [[True, True]]
    """
    height, width = excess.shape
    offsets = np.array([row * width + column for row, column in NEIGHBORS], np.int32)
    flat = np.ascontiguousarray(capacity).reshape(-1, 8)
    tree = _cut(_Graph(excess.ravel().copy(), flat, offsets))
    return (tree.reshape(height, width) == _SOURCE)[1:-1, 1:-1]


# Few and large functions: numba counts references to arrays at every call, and small helpers in the
# inner loops were measured to double the time.


@_compiled
def _after(place: int, size: int) -> int:
    """The next place in a ring."""
    return place + 1 if place + 1 < size else 0


@_compiled
def _cut(graph: _Graph) -> NDArray[np.uint8]:
    count = graph.excess.size
    trees = _Trees(
        np.zeros(count, np.uint8),
        np.full(count, _NONE, np.int8),
        np.zeros(count, np.int32),
        np.zeros(count, np.int32),
    )
    active = _Active(
        np.empty(count + 1, np.int32), np.zeros(2, np.int64), np.zeros(count, np.bool_)
    )
    for node in range(count):
        if graph.excess[node] != 0:
            trees.tree[node] = _SOURCE if graph.excess[node] > 0 else _SINK
            trees.parent[node], trees.distance[node] = _TERMINAL, 1
            active.waiting[node] = True
            active.ring[active.ends[1]] = node
            active.ends[1] += 1
    orphans = np.empty(count + 1, np.int32)
    time = 0
    while True:
        node, direction = _grow(graph, trees, active)
        if direction < 0:
            return trees.tree
        time += 1
        found = _push(node, direction, graph, trees, orphans)
        _adopt(time, found, orphans, graph, trees, active)


@_compiled
def _grow(graph: _Graph, trees: _Trees, active: _Active) -> tuple[int, int]:
    """Grows the trees into free pixels until they meet.

    Returns:
        A pixel of the source's tree and the direction to one of the sink's; -1 if they cannot meet.
    """
    capacity, offsets = graph.capacity, graph.offsets
    tree, parent, steps, seen = trees.tree, trees.parent, trees.distance, trees.time
    ring, waiting = active.ring, active.waiting
    start, end = active.ends
    while start != end:
        node = ring[start]
        mine = tree[node]
        for direction in range(0 if mine != _FREE else 8, 8):
            other = node + offsets[direction]
            if mine == _SOURCE:
                residual = capacity[node, direction]
            else:
                residual = capacity[other, direction ^ 1]
            if residual <= 0:
                continue
            if tree[other] == _FREE:
                tree[other] = mine
                if not waiting[other]:
                    waiting[other] = True
                    ring[end] = other
                    end = _after(end, ring.size)
            elif tree[other] != mine:
                active.ends[0], active.ends[1] = start, end
                if mine == _SOURCE:
                    return node, direction
                return other, direction ^ 1
            elif seen[other] > seen[node] or steps[other] <= steps[node]:
                continue
            # A new child, or one of the same tree for which this way is shorter.
            parent[other] = direction ^ 1
            seen[other] = seen[node]
            steps[other] = steps[node] + 1
        waiting[node] = False
        start = _after(start, ring.size)
    return -1, -1


@_compiled
def _push(node: int, bridge: int, graph: _Graph, trees: _Trees, orphans: NDArray[np.int32]) -> int:
    """Pushes what the path over the bridge can carry.

    Returns:
        How many pixels lost their parent because that tie is now full; ``orphans`` lists them.
    """
    other = node + graph.offsets[bridge]
    flow = min(graph.capacity[node, bridge], _room(node, graph, trees), _room(other, graph, trees))
    graph.capacity[node, bridge] -= flow
    graph.capacity[other, bridge ^ 1] += flow
    found = _send(node, flow, 0, graph, trees, orphans)
    return _send(other, flow, found, graph, trees, orphans)


@_compiled
def _room(node: int, graph: _Graph, trees: _Trees) -> float:
    """How much the path from a node to its terminal can carry."""
    capacity, offsets, parent = graph.capacity, graph.offsets, trees.parent
    room = np.float32(np.inf)
    from_source = trees.tree[node] == _SOURCE
    while parent[node] != _TERMINAL:
        up = parent[node]
        above = node + offsets[up]
        tie = capacity[above, up ^ 1] if from_source else capacity[node, up]
        room = min(room, tie)
        node = above
    return min(room, abs(graph.excess[node]))


@_compiled
def _send(
    node: int,
    flow: float,
    found: int,
    graph: _Graph,
    trees: _Trees,
    orphans: NDArray[np.int32],
) -> int:
    """Subtracts the flow from every tie on the path from a node to its terminal."""
    excess, capacity, offsets, parent = graph.excess, graph.capacity, graph.offsets, trees.parent
    sign = np.float32(1 if trees.tree[node] == _SOURCE else -1)
    while parent[node] != _TERMINAL:
        up = parent[node]
        above = node + offsets[up]
        capacity[node, up] += sign * flow
        capacity[above, up ^ 1] -= sign * flow
        left = capacity[above, up ^ 1] if sign > 0 else capacity[node, up]
        if left <= 0:
            parent[node] = _NONE
            orphans[found] = node
            found += 1
        node = above
    excess[node] -= sign * flow
    if sign * excess[node] <= 0:
        parent[node] = _NONE
        orphans[found] = node
        found += 1
    return found


@_compiled
def _adopt(
    time: int,
    found: int,
    orphans: NDArray[np.int32],
    graph: _Graph,
    trees: _Trees,
    active: _Active,
) -> None:
    """Gives every orphan the parent nearest to the terminal, or frees it and its children."""
    capacity, offsets = graph.capacity, graph.offsets
    tree, parent, steps, seen = trees.tree, trees.parent, trees.distance, trees.time
    ring, waiting = active.ring, active.waiting
    end = active.ends[1]
    done = 0
    while done != found:
        node = orphans[done]
        done = _after(done, orphans.size)
        mine = tree[node]
        best, nearest = _NONE, _FAR
        for direction in range(8):
            other = node + offsets[direction]
            if tree[other] != mine or parent[other] == _NONE:
                continue
            if mine == _SOURCE:
                residual = capacity[other, direction ^ 1]
            else:
                residual = capacity[node, direction]
            if residual <= 0:
                continue
            distance = _distance(other, time, offsets, parent, steps, seen)
            if distance < nearest:
                best, nearest = direction, distance
        parent[node] = best
        if best != _NONE:
            seen[node], steps[node] = time, nearest + 1
            continue
        tree[node] = _FREE
        seen[node] = 0
        for direction in range(8):
            other = node + offsets[direction]
            if tree[other] != mine:
                continue
            if mine == _SOURCE:
                residual = capacity[other, direction ^ 1]
            else:
                residual = capacity[node, direction]
            if residual > 0 and not waiting[other]:  # it may take this pixel in again
                waiting[other] = True
                ring[end] = other
                end = _after(end, ring.size)
            if parent[other] == direction ^ 1:
                parent[other] = _NONE
                orphans[found] = other
                found = _after(found, orphans.size)
    active.ends[1] = end


@_compiled
def _distance(
    node: int,
    time: int,
    offsets: NDArray[np.int32],
    parent: NDArray[np.int8],
    steps: NDArray[np.int32],
    seen: NDArray[np.int32],
) -> int:
    """Steps from a node to its terminal, many if the path ends in an orphan; marks the path."""
    count, at = 0, node
    while seen[at] != time:
        up = parent[at]
        if up == _NONE:
            return _FAR
        if up == _TERMINAL:
            seen[at], steps[at] = time, 1
            break
        count += 1
        at += offsets[up]
    count += steps[at]
    at, left = node, count
    while seen[at] != time:
        seen[at], steps[at] = time, left
        left -= 1
        at += offsets[parent[at]]
    return count
