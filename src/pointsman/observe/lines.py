"""Text for people, before anybody knows whether there is a terminal.

A line is made of pieces with a role each, and roles have one style everywhere; on anything but a
terminal the styles are left out. Nothing here wraps: `file:line:column` has to stay clickable.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from rich.text import Text

Role = Literal["", "name", "strong", "faint", "good", "error", "warning", "note"]
"""What a piece is; "" is plain text."""

_STYLES: Final[dict[Role, str]] = {
    "": "",
    "name": "cyan",
    "strong": "bold",
    "faint": "dim",
    "good": "green",
    "error": "bold red",
    "warning": "yellow",
    "note": "blue",
}

Line = Text


class Piece(NamedTuple):
    """Some text with a role."""

    text: str
    role: Role = ""


def line(*pieces: str | Piece) -> Line:
    """A line of plain strings and pieces."""
    styled = (Piece(piece) if isinstance(piece, str) else piece for piece in pieces)
    return Text.assemble(*((text, _STYLES[role]) for text, role in styled), no_wrap=True)


def plain(lines: Iterable[Line]) -> str:
    """The text without styles; every line ends with a line feed."""
    return "".join(item.plain.rstrip() + "\n" for item in lines)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], indent: int = 2) -> list[Line]:
    """Columns under headings, as wide as their widest cell; the last one is never padded."""
    grid = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *grid, strict=True)]
    widths[-1] = 0
    return [_row(headings, widths, indent, "faint"), *(_row(row, widths, indent) for row in grid)]


def _row(cells: Sequence[str], widths: Sequence[int], indent: int, role: Role = "") -> Line:
    padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return line(" " * indent, Piece(padded.rstrip(), role))
