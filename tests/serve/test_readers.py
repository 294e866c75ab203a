"""Whoever asks and does not read the answer keeps no instance from ending."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
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


async def test_an_answer_that_takes_long_does_not_hold_up_the_end(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def slow(_request: Request) -> Response:
        begun.set()
        await asyncio.sleep(60)
        raise NotImplementedError

    async with asyncio.timeout(20), StatusServer(folder, unasked, [Route("/slow", slow)]):
        _, writer = await asyncio.open_unix_connection(find_instance(folder))
        writer.write(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n")
        await begun.wait()
    writer.close()
    assert not caplog.records, "nothing went wrong"


def unasked() -> Status:
    raise NotImplementedError


async def test_a_reader_that_has_stopped_reading_does_not_hold_up_the_end(folder: Path) -> None:
    async with asyncio.timeout(20), StatusServer(folder, unasked, [Route("/lines", endless)]):
        reader, writer = await asyncio.open_unix_connection(find_instance(folder))
        writer.write(b"GET /lines HTTP/1.1\r\nhost: here\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
