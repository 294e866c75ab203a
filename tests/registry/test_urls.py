"""A registry that another program serves, well or badly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pointsman.registry.registry import Registry
from pointsman.registry.urls import RegistryUrl
from tests.registry.instances import CART
from tests.support.http1 import read_head
from tests.support.wait import eventually


def text(host: str) -> str:
    return f"namespace: shop.local\nservices:\n  cart:\n    a: {{address: {host}}}\n"


class Served:
    """What the other program answers, and what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body = text("10.0.0.1")
        self.tag = "one"
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                _, headers = await read_head(reader)
                known = dict(headers).get("if-none-match", "")
                self.asked.append(known)
                same = self.tag and known == self.tag and self.status == 200
                body = b"" if same else self.body.encode()
                head = f"HTTP/1.1 {304 if same else self.status} X\r\netag: {self.tag}\r\n"
                writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def followed(served: Served) -> AsyncIterator[tuple[Registry, RegistryUrl, asyncio.Server]]:
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/registry"
    registry = Registry([url])
    source = RegistryUrl(registry, url, interval_s=0.02)
    task = asyncio.create_task(source.run())
    try:
        await source.answered(10)
        yield registry, source, server
    finally:
        task.cancel()
        server.close()
        await asyncio.gather(task, return_exceptions=True)


def host(registry: Registry) -> str | None:
    return registry.instances(CART)[0].ipv4


async def test_changes_are_taken_and_the_same_is_not_read_again() -> None:
    served = Served()
    async with followed(served) as (registry, _, _):
        assert host(registry) == "10.0.0.1"
        await eventually(lambda: served.asked.count("one") >= 2)
        served.body, served.tag = text("10.0.0.2"), "two"
        await eventually(lambda: host(registry) == "10.0.0.2")


async def test_errors_leave_in_force_what_was_good_until_they_are_over() -> None:
    served = Served()
    async with followed(served) as (registry, source, _):
        good = served.body
        for status, body in ((500, good), (200, "namespace: ["), (404, ""), (200, text("here"))):
            served.status, served.body, served.tag = status, body, "bad"
            await eventually(lambda: registry.states()[0].failures)
            assert host(registry) == "10.0.0.1"
            served.status, served.body, served.tag = 200, good, "one"
            await eventually(lambda: not registry.states()[0].failures)
            assert source.problems() == ()


async def test_a_document_with_errors_says_where() -> None:
    served = Served()
    async with followed(served) as (_, source, _):
        served.body, served.tag = text("here"), "two"
        await eventually(source.problems)
        (problem,) = source.problems()
        assert problem.at == (4, 9)
        assert problem.origin is not None
        assert problem.origin.source.endswith("/registry")


async def test_nobody_answers_any_more() -> None:
    served = Served()
    async with followed(served) as (registry, _, server):
        server.close()
        served.status = 500  # connections that are open are kept
        await eventually(lambda: registry.states()[0].failures)
        assert host(registry) == "10.0.0.1"
