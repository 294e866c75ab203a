"""A store that is made when something is to be counted: most instances count nothing."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

from pointsman.limits.counts import Balance, Move, Record
from pointsman.limits.store import CounterStore


class LateStore:
    """Another store, once it is needed; see `CounterStore`.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], CounterStore]) -> None:
        self._make = make

    @cached_property
    def _store(self) -> CounterStore:
        return self._make()

    async def settle(self, plane: str, wall: int, moves: Sequence[Move]) -> list[Balance]:
        """See `CounterStore`."""
        return await self._store.settle(plane, wall, moves)

    async def attend(self, plane: str, wall: int, until: int) -> int:
        """See `CounterStore`."""
        return await self._store.attend(plane, wall, until)

    async def records(self, prefix: str) -> dict[str, Record]:
        """See `CounterStore`."""
        return await self._store.records(prefix)

    async def reset(self, keys: Collection[str]) -> None:
        """See `CounterStore`."""
        await self._store.reset(keys)

    async def close(self) -> None:
        """See `CounterStore`."""
        if "_store" in self.__dict__:
            await self._store.close()
