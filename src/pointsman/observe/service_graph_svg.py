"""Who calls whom as a picture that needs no other program: SVG, with its own styles."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape

from pointsman.observe.layers import layers
from pointsman.observe.service_graph import Link, ServiceGraph, Vertex
from pointsman.observe.service_graph_text import is_bad, label, shown

_ROW: Final = 68
_BOX: Final = 38
_GAP: Final = 150
_EDGE: Final = 24
_LINE: Final = 13
_FAR: Final = 0.66
"""How far along the way to the end with fewer links words stand."""
_CHAR: Final = 7.2
"""Width of a letter at 13 px, about; names longer than the widest box are cut."""
_WIDEST: Final = 280
_NARROWEST: Final = 120
_STYLE: Final = """
  svg { font: 13px system-ui, sans-serif; background: #fff; --ink: #1f2933; --line: #7b8794;
    --gateway: #dbeafe; --service: #fef3c7; --node: #dcfce7; --bad: #c81e1e; --paper: #fff; }
  @media (prefers-color-scheme: dark) { svg { background: #16191d; --ink: #e4e7eb; --line: #9aa5b1;
    --gateway: #1e3a5f; --service: #5c4813; --node: #14532d; --bad: #f98080; --paper: #16191d; } }
  rect { stroke: var(--line); } .gateway rect { fill: var(--gateway); }
  .service rect { fill: var(--service); } .node rect { fill: var(--node); }
  text { fill: var(--ink); text-anchor: middle; dominant-baseline: central; }
  path { fill: none; stroke: var(--line); } marker path { fill: var(--line); stroke: none; }
  .told { font-size: 11px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
  .bad path { stroke: var(--bad); } .bad text { fill: var(--bad); }
  .mirror path { stroke-dasharray: 4 4; }
"""
_ARROW: Final = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker>'
)


def graph_svg(known: ServiceGraph) -> str:
    """The graph as an SVG document: callers on the left, those they call on the right."""
    drawing = _Drawing(known)
    return "\n".join([*drawing.rows(), ""])


class _Drawing:
    def __init__(self, known: ServiceGraph) -> None:
        pairs = [(link.source, link.target) for link in known.links]
        longest = max((len(vertex.name) for vertex in known.vertices), default=0)
        self._known = known
        self._leaving = Counter(source for source, _ in pairs)
        self._entering = Counter(target for _, target in pairs)
        self._layers = layers(known.vertices, pairs)
        self._box = min(max(longest * _CHAR + 24, _NARROWEST), _WIDEST)

    def rows(self) -> Iterator[str]:
        """The document line by line."""
        columns, rows = self._layers.columns, self._layers.rows
        width = 2 * _EDGE + columns * self._box + max(columns - 1, 0) * _GAP
        height = 2 * _EDGE + max(rows, 1) * _ROW
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
        )
        yield f"<title>Who calls whom</title><style>{_STYLE}</style><defs>{_ARROW}</defs>"
        for link in self._known.links:
            yield from self._link(link)
        for vertex in self._known.vertices:
            yield self._vertex(vertex)
        yield "</svg>"

    def _vertex(self, vertex: Vertex) -> str:
        x, y = self._middle(self._layers.places[vertex])
        most = int((self._box - 20) / _CHAR)
        name = vertex.name if len(vertex.name) <= most else f"{vertex.name[: most - 1]}…"
        round_ = {"gateway": 2, "service": _BOX / 2, "node": 6}[vertex.kind]
        return (
            f'<g class="{vertex.kind}"><title>{escape(shown(vertex))}</title>'
            f'<rect x="{x - self._box / 2:.1f}" y="{y - _BOX / 2:.1f}" width="{self._box:.1f}" '
            f'height="{_BOX}" rx="{round_:g}"/>'
            f'<text x="{x:.1f}" y="{y:.1f}">{escape(name)}</text></g>'
        )

    def _link(self, link: Link) -> Iterator[str]:
        way = self._layers.ways.get((link.source, link.target))
        if way is None:
            return
        kind = " ".join([link.manner, *(["bad"] if is_bad(link) else [])])
        points = [self._middle(place) for place in way]
        yield f'<g class="{kind}"><path d="{self._curve(points)}" marker-end="url(#arrow)"/>'
        x, middle = self._beside(link, points)
        told = label(link, self._known.over)
        for index, text in enumerate(told):
            y = middle + _LINE * (index - (len(told) - 1) / 2)
            yield f'<text class="told" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
        yield "</g>"

    def _beside(self, link: Link, points: Sequence[tuple[float, float]]) -> tuple[float, float]:
        """Where the words of a link stand: at the end that has fewer links, clear of the others."""
        leaving, entering = self._leaving[link.source], self._entering[link.target]
        at = 0.5 if leaving == entering else _FAR if leaving > entering else 1 - _FAR
        first, last = points[-2:] if leaving >= entering else points[:2]
        side = self._box / 2 if last[0] > first[0] else -self._box / 2
        start, end = first[0] + side, last[0] - side
        return start + at * (end - start), first[1] + (3 * at**2 - 2 * at**3) * (last[1] - first[1])

    def _middle(self, place: tuple[int, float]) -> tuple[float, float]:
        column, row = place
        return _EDGE + self._box / 2 + column * (self._box + _GAP), _EDGE + _ROW * (row + 0.5)

    def _curve(self, points: Sequence[tuple[float, float]]) -> str:
        """From side to side, straight through the columns between."""
        side = self._box / 2 if points[-1][0] > points[0][0] else -self._box / 2
        drawn = [f"M{points[0][0] + side:.1f},{points[0][1]:.1f}"]
        for (x1, y1), (x2, y2) in pairwise(points):
            bend = (x1 + x2) / 2
            drawn.append(f"C{bend:.1f},{y1:.1f} {bend:.1f},{y2:.1f} {x2 - side:.1f},{y2:.1f}")
            if (x2, y2) != points[-1]:
                drawn.append(f"L{x2 + side:.1f},{y2:.1f}")
        return " ".join(drawn)
