"""Text for people, before anybody knows whether there is a terminal.

A line is made of pieces with a role each; the command line turns roles into colours, or leaves
them out. Nothing here wraps: `file:line:column` has to stay clickable.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Role = Literal["", "name", "strong", "faint", "good", "error", "warning", "note"]
"""What a piece is; "" is plain text."""
SEVERITIES: Final[Mapping[str, Role]] = MappingProxyType(
    {"error": "error", "warning": "warning", "note": "note"}
)
"""What the name of a severity is, and what is said with it."""


class Piece(NamedTuple):
    """Some text with a role."""

    text: str
    role: Role = ""


Line = tuple[Piece, ...]


def line(*pieces: str | Piece) -> Line:
    """A line of plain strings and pieces."""
    return tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces)


def plain(lines: Iterable[Line]) -> str:
    """The text without roles; every line ends with a line feed."""
    return "".join("".join(piece.text for piece in item).rstrip() + "\n" for item in lines)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], indent: int = 2) -> list[Line]:
    """Columns under headings, as wide as their widest cell; the last one is never padded."""
    grid = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *grid, strict=True)]
    widths[-1] = 0
    return [_row(headings, widths, indent, "faint"), *(_row(row, widths, indent) for row in grid)]


def _row(cells: Sequence[str], widths: Sequence[int], indent: int, role: Role = "") -> Line:
    padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return (Piece(" " * indent), Piece(padded.rstrip(), role))
