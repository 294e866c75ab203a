"""A bare HTTP/1.1 client: what a test says is what goes over the wire, byte for byte.

Libraries tidy up paths, hosts and repeated headers, and those are just what the tests are about.
"""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

PATIENCE = 20.0
"""Seconds after which an answer is given up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names in lower case, repeated ones in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)


def request_bytes(
    method: str,
    target: str,
    host: str,
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Client:
    """One connection, opened when needed and kept as long as the peer keeps it."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        """The client itself; it connects with its first request."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the connection."""
        await self.close()

    async def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def ask(
        self,
        method: str,
        target: str,
        host: str = "gateway.test",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Answer:
        """Sends a request and waits for its response."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await self.streams()
            writer.write(request_bytes(method, target, host, headers, body))
            answer = await read_answer(reader, bodiless=method == "HEAD")
        if answer.header("connection") == "close":
            await self.close()
        return answer

    async def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams


async def read_answer(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Answer:
    """Reads one response."""
    status, headers = await read_head(reader)
    answer = Answer(int(status.split(" ")[1]), headers, b"")
    if bodiless or answer.status in (101, 204, 304):
        return answer
    return Answer(answer.status, headers, await read_body(reader, dict(headers)))


async def read_head(reader: asyncio.StreamReader) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Reads the first line and the headers of a message."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return first, tuple((name.lower(), value.strip()) for name, value in pairs)


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """Reads the body that the headers announce."""
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return body
    return await reader.readexactly(int(headers.get("content-length", "0")))
