"""Where counts of quotas are kept; one round trip notes what happened to many of them."""

from collections.abc import Sequence
from typing import Protocol

from pointsman.limits.counts import Balance, Move, Record, apply


class StoreError(Exception):
    """The store cannot be asked now; it may be asked again."""


class CounterStore(Protocol):
    """Counts of quotas, and which control planes there are."""

    async def settle(self, plane: str, wall: int, moves: Sequence[Move]) -> list[Balance]:
        """Notes moves, so that they outlast this process when it returns.

        Args:
            plane: the control plane that asks.
            wall: seconds since 1970.
            moves: of one key each.

        Raises:
            StoreError: none of it may be relied upon.
        """

    async def attend(self, plane: str, wall: int, until: int) -> int:
        """Says that a control plane gives leases of rates until a moment; how many ones there are.

        Raises:
            StoreError: it may not be relied upon.
        """

    async def reset(self, prefix: str) -> int:
        """Forgets what was used by keys that begin so, but not what leases hold; how many.

        Raises:
            StoreError: it may not have happened.
        """

    async def close(self) -> None:
        """Lets go of what it needs; nothing may be asked afterwards."""


class MemoryStore:
    """Counts that end with the process."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._planes: dict[str, int] = {}

    async def settle(self, plane: str, wall: int, moves: Sequence[Move]) -> list[Balance]:
        """See `CounterStore`."""
        found = []
        for move in moves:
            record = self._records.setdefault(move.key, Record())
            found.append(apply(record, plane, wall, move))
        return found

    async def attend(self, plane: str, wall: int, until: int) -> int:
        """See `CounterStore`."""
        self._planes[plane] = until
        self._planes = {name: end for name, end in self._planes.items() if end > wall}
        return len(self._planes)

    async def reset(self, prefix: str) -> int:
        """See `CounterStore`."""
        found = [key for key in self._records if key.startswith(prefix)]
        for key in found:
            self._records[key].slots.clear()
        return len(found)

    async def close(self) -> None:
        """Nothing to do."""
