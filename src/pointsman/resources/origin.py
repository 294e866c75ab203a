"""Where an object was written.

An origin keeps the text of its document, so that the line and column of a field are worked out
only when a problem needs them (`position.py`): keeping marks for every scalar of ten thousand
manifests would cost more memory than the manifests.
"""

from dataclasses import dataclass, field

FieldPath = tuple[str | int, ...]
"""Field names and list indexes from the root of an object: ("spec", "listeners", 0, "tls")."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A document in a source.

    Attributes:
        source: file path as the user gave it, or `-` for standard input.
        line: first line of the document in the source, counted from 1.
        text: the document itself, after substitution of variables.
        root: path of the object inside the document; not empty inside a `kind: List`.
    """

    source: str
    line: int
    text: str = field(default="", repr=False)
    root: FieldPath = ()


def show_path(path: FieldPath) -> str:
    """`("spec", "listeners", 0, "tls")` as `spec.listeners[0].tls`."""
    shown = ""
    for step in path:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
    return shown
