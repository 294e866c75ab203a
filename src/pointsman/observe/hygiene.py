"""Which policy does not take a request at all, for `pointsman explain`."""

from collections.abc import Iterator
from typing import Any

from pointsman.graph.taken import Refusal
from pointsman.observe.access import Where
from pointsman.observe.lines import Line, Piece, line


def hygiene_json(found: Refusal | None, where: Where) -> dict[str, Any] | None:
    """A refusal as one JSON object."""
    if found is None:
        return None
    return {
        "policy": found.policy.path,
        "at": where(found.policy, ("spec", found.field)),
        "status": found.status,
        "why": found.why,
    }


def hygiene_lines(found: Refusal, where: Where) -> Iterator[Line]:
    """A refusal as a person would tell it."""
    at = where(found.policy, ("spec", found.field))
    policy = Piece(found.policy.path, "name")
    yield line("because hygiene policy ", policy, f" ({at}) does not take it: {found.why}.")
