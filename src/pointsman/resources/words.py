"""How problems put values and choices into words."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

_LONGEST = 60


def shown(value: Any) -> str:
    """A value as it would be written, cut short when long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
        return (
            '"' + cut.encode("unicode_escape", "replace").decode() + '"'
            if not (cut.isprintable())
            else f'"{cut}"'
        )
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else str(value)[:_LONGEST]


def listed(names: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *front, end = list(names)
    return f"{', '.join(front)} {last} {end}" if front else end


def counted(number: int, what: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def span(seconds: float) -> str:
    """A time that need not be exact: `3 days`, `1 hour`, `40 s`."""
    for name, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return counted(int(seconds // length), name)
    return f"{max(seconds, 0):.0f} s"


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like a word, regardless of case; None when none is near."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    close = get_close_matches(word.lower()[:_LONGEST], list(by_lower), n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
