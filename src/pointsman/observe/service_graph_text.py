"""Who calls whom as text: a table for people, and DOT for Graphviz."""

from collections.abc import Iterator
from typing import Final

from pointsman.observe.lines import Line, Piece, line, table
from pointsman.observe.numbers import rate, share, time
from pointsman.observe.service_graph import Kind, Link, ServiceGraph, Vertex

_HEAD: Final = ("FROM", "TO", "SHARE")
_COUNTED: Final = ("REQ/S", "5XX", "P50", "P99")
_NOTES: Final = {
    "http": "",
    "tcp": "connections",
    "mirror": "copies",
    "several": "by several services",
}
_SHAPES: Final[dict[Kind, str]] = {"gateway": "house", "service": "ellipse", "node": "box"}


def graph_lines(known: ServiceGraph) -> Iterator[Line]:
    """A line for each link, and one for each caller that calls nobody."""
    if not known.vertices:
        yield line("  there are neither gateways nor nodes with backends")
        return
    linked = {end for link in known.links for end in (link.source, link.target)}
    alone = [vertex for vertex in known.vertices if vertex not in linked]
    if known.links:
        head = (*_HEAD, *(_COUNTED if known.over is not None else ()), "")
        lines = table(head, [_cells(link, known.over) for link in known.links])
        yield lines[0]
        for link, drawn in zip(known.links, lines[1:], strict=True):
            yield (drawn[0], Piece(drawn[1].text, "error")) if is_bad(link) else drawn
    for vertex in alone:
        yield line("  ", shown(vertex), Piece(" calls nobody", "faint"))


def _cells(link: Link, over: float | None) -> tuple[str, ...]:
    percent = "-" if link.percent is None else f"{link.percent:.3g}%"
    cells = (shown(link.source), shown(link.target), percent)
    if over is None:
        return (*cells, _NOTES[link.manner])
    found = link.numbers
    if found is None:
        return (*cells, "-", "-", "-", "-", _NOTES[link.manner])
    counts = (rate(found.requests / over), share(found.failures, found.requests))
    return (*cells, *counts, time(found.p50), time(found.p99), _NOTES[link.manner])


def shown(vertex: Vertex) -> str:
    """A vertex in words."""
    return f"{vertex.kind} {vertex.name}"


def label(link: Link, over: float | None) -> list[str]:
    """What stands at a link that is drawn, line by line; what has no choice has no share."""
    words = [] if link.percent in (None, 100) else [f"{link.percent:.3g}%"]
    if link.manner != "http":
        words.append("tcp" if link.manner == "tcp" else _NOTES[link.manner])
    found = link.numbers
    if found is not None and over is not None:
        words.append(f"{rate(found.requests / over)}/s")
    lines = [" ".join(words)] if words else []
    if found is not None:
        if found.failures:
            lines.append(f"{share(found.failures, found.requests)} 5xx")
        if found.p99 is not None:
            lines.append(f"p99 {time(found.p99)}")
    return lines


def is_bad(link: Link) -> bool:
    """Whether requests failed there."""
    return link.numbers is not None and link.numbers.failures > 0


def graph_dot(known: ServiceGraph) -> str:
    """The graph in Graphviz' language (graphviz.org/doc/info/lang.html)."""
    rows = ["digraph mesh {", "  rankdir=LR;", '  node [fontname="sans-serif"];']
    rows.append('  edge [fontname="sans-serif", fontsize=10];')
    for vertex in known.vertices:
        shape = _SHAPES[vertex.kind]
        rows.append(f"  {_quoted(shown(vertex))} [label={_quoted(vertex.name)}, shape={shape}];")
    for link in known.links:
        told = [f"label={_quoted(chr(10).join(label(link, known.over)))}"]
        if link.manner == "mirror":
            told.append("style=dashed")
        if is_bad(link):
            told.append("color=red")
        ends = f"{_quoted(shown(link.source))} -> {_quoted(shown(link.target))}"
        rows.append(f"  {ends} [{', '.join(told)}];")
    return "\n".join([*rows, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
