"""Where counts of quotas are kept; one round trip notes what happened to many of them."""

from collections.abc import Collection, Sequence
from typing import Protocol

from pointsman.errors import StateError
from pointsman.limits.counts import Balance, Move, Record, apply


class StoreError(StateError):
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

    async def records(self, prefix: str) -> dict[str, Record]:
        """What is known of all keys that begin so.

        Raises:
            StoreError: it is not known.
        """

    async def reset(self, keys: Collection[str]) -> None:
        """Forgets what was used, but not what leases hold.

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

    async def records(self, prefix: str) -> dict[str, Record]:
        """See `CounterStore`."""
        return {key: item for key, item in self._records.items() if key.startswith(prefix)}

    async def reset(self, keys: Collection[str]) -> None:
        """See `CounterStore`."""
        for key in keys:
            if key in self._records:
                self._records[key].slots.clear()

    async def close(self) -> None:
        """Nothing to do."""
