"""Whoever asks and does not read the answer keeps no instance from ending."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pointsman.api.instances import find_instance
from pointsman.api.server import StatusServer
from pointsman.observe.status import Status


async def endless(_request: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield bytes(65_536)
            await asyncio.sleep(0)

    return StreamingResponse(lines())


async def test_a_reader_that_has_stopped_reading_does_not_hold_up_the_end(folder: Path) -> None:
    def status() -> Status:
        raise NotImplementedError

    async with asyncio.timeout(20), StatusServer(folder, status, [Route("/lines", endless)]):
        reader, writer = await asyncio.open_unix_connection(find_instance(folder))
        writer.write(b"GET /lines HTTP/1.1\r\nhost: here\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
