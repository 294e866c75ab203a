"""The latest requests, in bounded memory, and those who look on while they come.

Failed requests have a shelf of their own, so that a flood of good ones does not push them out.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from pointsman.telemetry.requests import Request, size

RECORDS: Final = 5_000
"""Records of a shelf."""
BYTES: Final = 12 * 1024 * 1024
"""Bytes of a shelf, about."""
WAITING: Final = 1_000
"""Records that wait for somebody who looks on; a slower reader misses the earliest of them."""


class Shelf:
    """Keeps the latest of one kind.

    Args:
        records: how many at the most.
        bytes_: how many bytes of them at the most.
    """

    def __init__(self, records: int, bytes_: int) -> None:
        self._records = records
        self._bytes = bytes_
        self._items: deque[tuple[int, Request, int]] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[tuple[int, Request]]:
        """Records with their numbers, the earliest first."""
        return ((number, item) for number, item, _ in self._items)

    def add(self, number: int, request: Request) -> None:
        """Keeps a record, and lets go of the earliest for it."""
        taken = size(request)
        self._items.append((number, request, taken))
        self.bytes += taken
        while len(self._items) > self._records or self.bytes > self._bytes:
            self.bytes -= self._items.popleft()[2]


class Ring:
    """Keeps the latest requests of all proxies.

    Args:
        records: of each of both shelves.
        bytes_: of each of both shelves.

    Attributes:
        missed: records that were too many for those who look on.
    """

    def __init__(self, records: int = RECORDS, bytes_: int = BYTES) -> None:
        self._notable = Shelf(records, bytes_)
        self._others = Shelf(records, bytes_)
        self._count = 0
        self._readers: set[asyncio.Queue[Request | None]] = set()
        self._ended = False
        self.missed = 0

    def __len__(self) -> int:
        return len(self._notable) + len(self._others)

    @property
    def bytes(self) -> int:
        """Bytes of all records, about."""
        return self._notable.bytes + self._others.bytes

    def __iter__(self) -> Iterator[Request]:
        """Records in the order in which they came."""
        return (item for _, item in heapq.merge(self._notable, self._others, key=lambda it: it[0]))

    def add(self, request: Request) -> None:
        """Keeps a record, and shows it to all who look on."""
        self._count += 1
        shelf = self._notable if request.is_notable else self._others
        shelf.add(self._count, request)
        for reader in self._readers:
            self._show(reader, request)

    def end(self) -> None:
        """Nobody looks on any longer, and nobody will."""
        self._ended = True
        for reader in self._readers:
            self._show(reader, None)

    def _show(self, reader: asyncio.Queue[Request | None], request: Request | None) -> None:
        if reader.full():
            reader.get_nowait()
            self.missed += 1
        reader.put_nowait(request)

    def of(self, request_id: str) -> tuple[Request, ...]:
        """What is kept of a request, by its id, in the order in which proxies met it."""
        found = (item for item in self if item.id == request_id)
        return tuple(sorted(found, key=lambda item: item.start))

    @contextmanager
    def looking_on(self) -> Iterator[AsyncIterator[Request]]:
        """Records as they come from now on."""
        queue: asyncio.Queue[Request | None] = asyncio.Queue(WAITING)
        if self._ended:
            queue.put_nowait(None)
        self._readers.add(queue)
        try:
            yield _taken(queue)
        finally:
            self._readers.discard(queue)


async def _taken(queue: asyncio.Queue[Request | None]) -> AsyncIterator[Request]:
    while (request := await queue.get()) is not None:
        yield request
