"""A bare HTTP/2 client without TLS: one connection, and what a test says goes over the wire."""

import asyncio
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from tests.support.http1 import PATIENCE, Answer

CONFIGURATION = H2Configuration(
    client_side=True,
    header_encoding="latin-1",
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)


class Http2Client:
    """One connection, opened by its first request; requests follow one another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._protocol = H2Connection(CONFIGURATION)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the connection."""
        if self._streams is not None:
            self._streams[1].close()

    async def ask(
        self,
        method: str,
        target: str,
        host: str = "gateway.test",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Answer:
        """Sends a request and waits for its response; trailers stand behind its headers."""
        pseudo = [(":method", method), (":authority", host)]
        if method != "CONNECT":
            pseudo += [(":scheme", "http"), (":path", target)]
        async with asyncio.timeout(PATIENCE):
            reader, writer = await self._connect()
            stream = self._protocol.get_next_available_stream_id()
            self._protocol.send_headers(stream, [*pseudo, *headers], end_stream=not body)
            if body:
                self._protocol.send_data(stream, body, end_stream=True)
            writer.write(self._protocol.data_to_send())
            return await self._answer(stream, reader, writer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            self._protocol.initiate_connection()
        return self._streams

    async def _answer(
        self, stream: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer:
        headers: list[tuple[str, str]] = []
        body = b""
        while True:
            data = await reader.read(65536)
            if not data:
                raise ConnectionError("closed before the response was complete")
            for event in self._protocol.receive_data(data):
                if isinstance(event, ConnectionTerminated):
                    raise ConnectionError(str(event))
                if getattr(event, "stream_id", stream) != stream:
                    continue
                match event:
                    case ResponseReceived() | TrailersReceived():
                        headers += [(_text(name), _text(value)) for name, value in event.headers]
                    case DataReceived():
                        body += event.data
                    case StreamReset():
                        raise ConnectionError(f"stream reset: {event.error_code}")
                    case StreamEnded():
                        writer.write(self._protocol.data_to_send())
                        status = int(dict(headers)[":status"])
                        return Answer(status, tuple(headers), body)
            writer.write(self._protocol.data_to_send())


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class Tunnel:
    """A CONNECT request over HTTP/2, and the bytes that go through it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._protocol = H2Connection(CONFIGURATION)
        self._stream = 0

    async def __aenter__(self) -> Self:
        """Connects."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._protocol.initiate_connection()
        self._writer.write(self._protocol.data_to_send())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the connection."""
        self._writer.close()

    async def open(self, authority: str, *, protocol: str = "", path: str = "") -> int:
        """Asks for a tunnel, or by `protocol` for an upgrade (RFC 8441); gives the status.

        Raises:
            ConnectionError: the request was refused without an answer.
        """
        headers = [(":method", "CONNECT"), (":authority", authority)]
        if protocol:
            headers += [(":protocol", protocol), (":scheme", "http"), (":path", path)]
            headers += [("sec-websocket-version", "13")]
        self._stream = self._protocol.get_next_available_stream_id()
        self._protocol.send_headers(self._stream, headers)
        self._writer.write(self._protocol.data_to_send())
        while True:
            for event in await self._events():
                if isinstance(event, ResponseReceived):
                    pairs = {_text(name): _text(value) for name, value in event.headers}
                    return int(pairs[":status"])

    async def echo(self, data: bytes, until: bytes | None = None) -> bytes:
        """Sends bytes and reads what comes back, up to some bytes, by default those it sent."""
        self._protocol.send_data(self._stream, data)
        self._writer.write(self._protocol.data_to_send())
        found = b""
        while (until or data) not in found:
            for event in await self._events():
                if isinstance(event, DataReceived):
                    found += event.data
        return found

    async def _events(self) -> list[object]:
        async with asyncio.timeout(PATIENCE):
            data = await self._reader.read(65536)
        if not data:
            raise ConnectionError("the connection was closed")
        events: list[object] = list(self._protocol.receive_data(data))
        self._writer.write(self._protocol.data_to_send())
        for event in events:
            if isinstance(event, StreamReset | ConnectionTerminated):
                raise ConnectionError(str(event))
        return events
