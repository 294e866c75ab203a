"""Steady load, and what became of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.http import Client


@asynccontextmanager
async def load(socket: Path, clients: int = 4) -> AsyncIterator[Counter[str]]:
    """Send requests without a pause until left; counts replies as `STATUS BODY`."""
    seen: Counter[str] = Counter()
    stop = asyncio.Event()

    async def ask() -> None:
        async with Client(socket) as client:
            while not stop.is_set():
                reply = await client.get()
                seen[f"{reply.status} {reply.body}"] += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(ask())
        try:
            yield seen
        finally:
            stop.set()
