"""Proxies that were turned away, so that somebody who looks for them is told why."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

LONGEST: Final = 256
"""Characters that are kept of a node id and of a reason: whoever connects chooses them."""
MOST: Final = 64
"""Node ids that are remembered; a newcomer takes the place of the one turned away longest ago."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A node id that proxies were turned away with.

    Attributes:
        node: what they said they are.
        reason: why, in words.
        unknown: whether nothing is configured for it; else who it is was not proven.
        peer: where the last one came from, as gRPC writes it.
        count: how often.
        last: when the last one came, in seconds since 1970.
    """

    node: str
    reason: str
    unknown: bool
    peer: str
    count: int
    last: float


class Refusals:
    """Remembers them.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_node: dict[str, Refused] = {}

    def add(self, node: str, reason: str, *, unknown: bool, peer: str) -> None:
        """One was turned away."""
        node, reason = node[:LONGEST], reason[:LONGEST]
        earlier = self._by_node.pop(node, None)
        if earlier is None and len(self._by_node) >= MOST:
            del self._by_node[next(iter(self._by_node))]
        found = Refused(node, reason, unknown, peer, 0, 0.0) if earlier is None else earlier
        self._by_node[node] = replace(
            found,
            reason=reason,
            unknown=unknown,
            peer=peer,
            count=found.count + 1,
            last=self._clock(),
        )

    def admitted(self, node: str) -> None:
        """One that says it is this node was let in: what was told of it is over."""
        self._by_node.pop(node[:LONGEST], None)

    def since(self, moment: float) -> tuple[Refused, ...]:
        """Those whose last try came at a moment or later, the latest at the end."""
        return tuple(item for item in self._by_node.values() if item.last >= moment)
