"""TCP backends: what comes in goes out again."""

import asyncio
import contextlib
from typing import Final, Self

from pointsman.echo.backend import Backend

HOST: Final = "127.0.0.1"
CHUNK: Final = 64 * 1024


class TcpListener:
    """Serves one backend until closed.

    Attributes:
        port: the TCP port.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @classmethod
    async def open(cls, backend: Backend) -> Self:
        """Listen on a port chosen by the system.

        Raises:
            OSError: nothing could be listened on.
        """
        listener = cls(backend)
        listener._server = await asyncio.start_server(listener._serve, HOST, 0)
        listener.port = int(listener._server.sockets[0].getsockname()[1])
        return listener

    async def close(self) -> None:
        """Listen no more and cut what is connected."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            with contextlib.suppress(ConnectionError):
                await self._echo(reader, writer)
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behaviour = self._backend.behaviour
        if behaviour.delay_ms:
            await asyncio.sleep(behaviour.delay_ms / 1000)
        if behaviour.greeting:
            writer.write(f"{self._backend.namespace}/{self._backend.name}\n".encode())
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
