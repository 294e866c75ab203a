"""Revisions of manifests for people, and what differs between two of them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import unified_diff
from typing import Any

from pointsman.observe.lines import Line, Piece, Role, line, table


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What differs between the texts of two revisions, as a unified diff; "" for nothing."""
    lines: list[str] = []
    for source in sorted(before.keys() | after.keys()):
        old, new = before.get(source), after.get(source)
        if old != new:
            lines += unified_diff(
                _lines(old),
                _lines(new),
                source if old is not None else "/dev/null",
                source if new is not None else "/dev/null",
            )
    return "".join(lines)


def _lines(text: str | None) -> list[str]:
    return [item + "\n" for item in (text or "").splitlines()]


def revision_lines(answers: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Revisions as a table, the newest first.

    Args:
        answers: revisions as the administration answers them.
    """
    yield from table(("REVISION", "SINCE", "BY", "CHANGED"), map(_row, answers), indent=0)


def _row(item: Mapping[str, Any]) -> tuple[str, ...]:
    moment = f"{datetime.fromtimestamp(item['at'], UTC):%Y-%m-%d %H:%M:%S}Z"
    again = f" (as {item['again']})" if item["again"] is not None else ""
    return (f"{item['number']}{again}", moment, item["by"], ", ".join(item["changed"]) or "-")


_ROLES: Mapping[str, Role] = {"+": "good", "-": "error", "@": "faint"}


def difference_lines(text: str) -> Iterator[Line]:
    """A diff for people."""
    if not text:
        yield line("nothing differs")
    for item in text.splitlines():
        yield line(Piece(item, _ROLES.get(item[:1], "")))
