"""Finds the line and column of a field, by composing its document once more.

Positions are kept for nothing and worked out for problems only; see `origin.py`.
"""

from functools import lru_cache

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from pointsman.resources.origin import FieldPath, Origin
from pointsman.resources.text import UnreadableError, compose

_compose = lru_cache(maxsize=8)(compose)


def position(origin: Origin, path: FieldPath) -> tuple[int, int]:
    """Line and column, from 1, of the longest part of `path` that is written.

    Fields are found at their key, entries of lists at their first character. For the path () and
    for documents that cannot be parsed it is where the object, or the document, begins.
    """
    line, column = _offset(origin.text, origin.root + path)
    return origin.line + line, column + 1


@lru_cache(maxsize=16_384)
def _offset(text: str, path: FieldPath) -> tuple[int, int]:
    """Lines and columns before a field; problems that stay are located at every publication."""
    try:
        root = _compose(text)
    except UnreadableError:
        root = None
    if root is None:
        return 0, 0
    found = node = root
    for step in path:
        entry = _entry(node, step)
        if entry is None:
            break
        found, node = entry
    return found.start_mark.line, found.start_mark.column


def _entry(node: Node, step: str | int) -> tuple[Node, Node] | None:
    """Where the step is written and what it holds, or None."""
    if isinstance(step, int):
        items = node.value if type(node) is SequenceNode else []
        return (items[step], items[step]) if 0 <= step < len(items) else None
    if type(node) is not MappingNode:
        return None
    merged: tuple[Node, Node] | None = None
    for key, value in node.value:
        if type(key) is not ScalarNode:
            continue
        if key.value == step:
            return key, value
        if key.value == "<<":
            parts = value.value if type(value) is SequenceNode else [value]
            merged = merged or next(filter(None, (_entry(part, step) for part in parts)), None)
    return merged
