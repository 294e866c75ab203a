"""Cuts the text of a source into YAML documents, without parsing them.

A document that did not change keeps its text, so the store need not read it again, and a
document that is broken does not take its neighbours along. JSON is YAML here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# YAML forbids both markers at column 0 inside scalars, so a line decides (YAML 1.2, 9.1.2).
_MARKER = re.compile(r"^(?:---|\.\.\.)(?=\s|\Z)[^\n]*(?:\n|\Z)", re.MULTILINE)
_BARE = re.compile(r"(?:---|\.\.\.)\s*(?:#.*)?$")
_CONTENT = re.compile(r"^(?!%)[^\S\n]*[^\s#]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as written.

    Attributes:
        line: its first line in the source, counted from 1.
        text: its text, without a marker line that says nothing else.
    """

    line: int
    text: str


def split(text: str) -> Iterator[Document]:
    """The documents of a source in order; those of comments and directives only are left out."""
    start, line = 0, 1
    for marker in _MARKER.finditer(text):
        yield from _document(text[start : marker.start()], line)
        line += text.count("\n", start, marker.start())
        start = marker.start()
        if _BARE.match(marker.group().rstrip()):
            start = marker.end()
            line += text.count("\n", marker.start(), start)
    yield from _document(text[start:], line)


def _document(text: str, line: int) -> Iterator[Document]:
    if _CONTENT.search(text):
        yield Document(line, text)
