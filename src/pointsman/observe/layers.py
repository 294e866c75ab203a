"""Where the vertices of a directed graph are drawn: in columns, with as few crossings as is cheap.

After Sugiyama, Tagawa and Toda (1981): links that close a circle are turned around, each vertex
stands one column behind the last of those that lead to it, links over several columns get a place
in each of them, and every column is ordered by where its neighbours stand. Nothing is drawn here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Generic, TypeVar

V = TypeVar("V")
Pair = tuple[V, V]
Spot = tuple[int, float]
"""Column and row; rows of a column are centred, so that they may be halves."""
_SWEEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Layers(Generic[V]):
    """Where everything is.

    Attributes:
        places: of each vertex.
        ways: of each link, from its source to its target, the places it passes.
        columns: how many there are.
        rows: of the longest column.
    """

    places: Mapping[V, Spot]
    ways: Mapping[tuple[V, V], tuple[Spot, ...]]
    columns: int
    rows: int


def layers(vertices: Sequence[V], links: Iterable[Pair[V]]) -> Layers[V]:
    """Places of all vertices and links. The same graph has the same places.

    Args:
        vertices: each once; the order decides where nothing else does.
        links: pairs of vertices; one from a vertex to itself is left out.
    """
    pairs = [pair for pair in dict.fromkeys(links) if pair[0] != pair[1]]
    forward = _forward(vertices, pairs)
    column = _columns(vertices, [pair if pair in forward else pair[::-1] for pair in pairs])
    chains = {pair: _chain(pair, column) for pair in pairs}
    grid = _ordered(_grid(vertices, column, chains), list(chains.values()))
    tallest = max(map(len, grid), default=0)
    spots: dict[object, Spot] = {
        item: (index, row + (tallest - len(items)) / 2)
        for index, items in enumerate(grid)
        for row, item in enumerate(items)
    }
    ways = {pair: tuple(spots[item] for item in chain) for pair, chain in chains.items()}
    places = {vertex: spots[vertex] for vertex in vertices}
    return Layers(places, ways, len(grid), tallest)


def _forward(vertices: Sequence[V], pairs: Sequence[Pair[V]]) -> set[Pair[V]]:
    """Links that close no circle: a walk along them never meets one it came from."""
    after: dict[V, list[V]] = {vertex: [] for vertex in vertices}
    for source, target in pairs:
        after[source].append(target)
    entered = dict.fromkeys((target for _, target in pairs))
    starts = [item for item in vertices if item not in entered] + list(vertices)
    done: set[V] = set()
    forward: set[Pair[V]] = set()
    for start in starts:
        path: dict[V, int] = {start: 0}
        while path and start not in done:
            vertex, index = next(reversed(path.items()))
            if index == len(after[vertex]):
                done.add(vertex)
                del path[vertex]
                continue
            path[vertex] = index + 1
            target = after[vertex][index]
            if target not in path:
                forward.add((vertex, target))
                if target not in done:
                    path[target] = 0
    return forward


def _columns(vertices: Sequence[V], pairs: Sequence[Pair[V]]) -> dict[V, int]:
    """One column behind the last of those that lead there; there are no circles."""
    before: dict[V, set[V]] = {vertex: set() for vertex in vertices}
    after: dict[V, list[V]] = {vertex: [] for vertex in vertices}
    for source, target in pairs:
        before[target].add(source)
        after[source].append(target)
    column = dict.fromkeys(vertices, 0)
    ready = [vertex for vertex in vertices if not before[vertex]]
    for vertex in ready:
        for target in dict.fromkeys(after[vertex]):
            column[target] = max(column[target], column[vertex] + 1)
            before[target].discard(vertex)
            if not before[target]:
                ready.append(target)
    return column


def _chain(pair: Pair[V], column: Mapping[V, int]) -> tuple[object, ...]:
    """The vertices of a link, and what stands for it in the columns between them."""
    source, target = pair
    first, last = column[source], column[target]
    step = 1 if last >= first else -1
    between = [(source, target, index) for index in range(first + step, last, step)]
    return (source, *between, target)


def _grid(
    vertices: Sequence[V], column: Mapping[V, int], chains: Mapping[Pair[V], tuple[object, ...]]
) -> list[list[object]]:
    grid: list[list[object]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for vertex in vertices:
        grid[column[vertex]].append(vertex)
    for (source, target), chain in chains.items():
        step = 1 if column[target] >= column[source] else -1
        for index, item in enumerate(chain[1:-1], 1):
            grid[column[source] + step * index].append(item)
    return grid


def _ordered(grid: list[list[object]], chains: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Each column by the middle of its neighbours in the one before, there and back."""
    column = {item: index for index, items in enumerate(grid) for item in items}
    beside: dict[object, list[object]] = {item: [] for item in column}
    for chain in chains:
        for one, other in pairwise(chain):
            beside[one].append(other)
            beside[other].append(one)
    for sweep in range(_SWEEPS):
        step = -1 if sweep % 2 else 1
        order = range(len(grid))[::step]
        for index in order[1:]:
            rows = {item: row for row, item in enumerate(grid[index - step])}
            own = {item: row for row, item in enumerate(grid[index])}
            grid[index].sort(key=lambda item: (_middle(beside[item], rows, own[item]), own[item]))
    return grid


def _middle(neighbours: Sequence[object], rows: Mapping[object, int], own: int) -> float:
    found = [rows[item] for item in neighbours if item in rows]
    return sum(found) / len(found) if found else own
