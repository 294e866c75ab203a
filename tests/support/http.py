"""A keep-alive HTTP/1.1 client over a Unix socket, small enough to trust under load."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and body of a response; status 0 when the connection failed."""

    status: int
    body: str


class Client:
    """One connection, opened when it is first needed and again after it was closed."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._close()

    async def get(self, path: str = "/", host: str = "a", seconds: float = 5.0) -> Reply:
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange("GET", path, host)
        except (OSError, EOFError) as error:
            await self._close()
            return Reply(0, repr(error))

    async def _exchange(self, method: str, path: str, host: str) -> Reply:
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(str(self._socket))
        reader, writer = self._streams
        writer.write(f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await self._body(head, reader)
        if re.search(r"^connection: close", head, re.MULTILINE | re.IGNORECASE):
            await self._close()
        return Reply(int(head.split(" ", 2)[1]), body.decode())

    async def _body(self, head: str, reader: asyncio.StreamReader) -> bytes:
        length = re.search(r"^content-length: (\d+)", head, re.MULTILINE | re.IGNORECASE)
        if length:
            return await reader.readexactly(int(length[1]))
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body

    async def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def get(socket: Path, path: str = "/", host: str = "a", seconds: float = 5.0) -> Reply:
    """One request on a connection of its own."""
    async with Client(socket) as client:
        return await client.get(path, host, seconds)
