"""A backend that does as the test says and remembers what it saw."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.http1 import read_body, read_head


@dataclass(frozen=True, slots=True)
class Seen:
    """A request a backend got."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(slots=True)
class Upstream:
    """A backend that speaks HTTP/1.1.

    Attributes:
        port: where it listens, on 127.0.0.1.
        reply: status of its answer to a request.
        body: body of its answers.
        headers: further headers of its answers.
        seen: requests it got, in order.
        waiting: requests it has not answered yet.
    """

    port: int
    reply: Callable[[Seen], Awaitable[int]]
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()
    seen: list[Seen] = field(default_factory=list)
    waiting: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection."""
        try:
            while True:
                await self._serve_one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass  # whoever speaks anything else than HTTP/1 is left
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, pairs = await read_head(reader)
        method, target, _ = first.split(" ")
        seen = Seen(method, target, dict(pairs))
        self.seen.append(seen)
        if "upgrade" in seen.headers:
            await _switch(reader, writer)
            return
        await read_body(reader, seen.headers)
        self.waiting += 1
        try:
            status = await self.reply(seen)
        finally:
            self.waiting -= 1
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = f"HTTP/1.1 {status} X\r\n{more}content-length: {len(self.body)}\r\n\r\n"
        writer.write(head.encode() + self.body)
        await writer.drain()


async def _switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Becomes a websocket in name, and an echo of bytes in fact."""
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
    )
    while data := await reader.read(1024):
        writer.write(data)


def always(status: int) -> Callable[[Seen], Awaitable[int]]:
    """A reply that is always the same."""

    async def reply(_: Seen) -> int:
        return status

    return reply


@asynccontextmanager
async def upstream(
    reply: int | Callable[[Seen], Awaitable[int]] = 200, host: str = "127.0.0.1"
) -> AsyncIterator[Upstream]:
    """Runs a backend that replies with a status, or with whatever a function says."""
    made = Upstream(0, always(reply) if isinstance(reply, int) else reply)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await made.serve(reader, writer)
        except asyncio.CancelledError:
            writer.close()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(accept, host, 0, backlog=4096)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for is in other processes
            await asyncio.sleep(0.01)
