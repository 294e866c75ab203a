"""ListenerPolicy by traffic: compression, websockets over HTTP/2, tunnels."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.gateway import Running
from tests.support.http1 import Answer, read_answer, request_bytes
from tests.support.http2 import Tunnel
from tests.support.manifests import (
    MESH,
    Document,
    gateway,
    gateway_route,
    node,
    policy,
    route,
    router,
    service,
)
from tests.support.scenes import serving
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy
WORDS = b"the same words again and again, " * 100
Headers = tuple[tuple[str, str], ...]


def documents(
    protocol: str = "http", *, pool: bool = False, second_pass: bool = False, **spec: Any
) -> tuple[Document, ...]:
    limit: dict[str, Any] = {"maxConnections": 9} if protocol == "http" else {"maxRequests": 9}
    mapping = {"port": 8080, "protocol": protocol}
    listener = {"portMapping": mapping, **({"connectionPool": {protocol: limit}} if pool else {})}
    match = {"path": {"regex": "/[a-z]*"}} if second_pass else {"prefix": "/"}
    routed = gateway_route("books", {"prefix": "/"}, "books")
    if second_pass:
        routed = gateway_route("books", {"prefix": "/shop/"}, "books")
    return (
        MESH,
        gateway(listeners=[listener]),
        node("books", 80),
        service("books", router="books"),
        router("books", route("all", match, ("books", 1))),
        routed,
        *([policy("ListenerPolicy", "p", "VirtualGateway/gateway/8080", **spec)] if spec else []),
    )


@asynccontextmanager
async def started(*written: Document) -> AsyncIterator[tuple[Running, Upstream]]:
    async with upstream() as backend, serving(*written, books=backend.port) as envoy:
        backend.body = WORDS
        backend.headers = (("content-type", "text/plain"),)
        yield envoy, backend


async def ask(envoy: Running, headers: Headers = ()) -> Answer:
    async with envoy.client(8080) as client:
        return await client.ask("GET", "/", "shop.test", headers)


@pytest.mark.parametrize("pool", [False, True])
async def test_responses_are_compressed_for_who_takes_it(pool: bool) -> None:
    compression = {"encodings": ["gzip", "brotli", "zstd"], "minBytes": 100}
    async with started(*documents(pool=pool, compression=compression)) as (envoy, backend):
        answer = await ask(envoy, (("accept-encoding", "gzip"),))
        assert answer.header("content-encoding") == "gzip"
        assert zlib.decompress(answer.body, wbits=31) == WORDS
        for accepted, used in (("br", "br"), ("zstd", "zstd"), ("gzip;q=0.1, br", "br")):
            answer = await ask(envoy, (("accept-encoding", accepted),))
            assert answer.header("content-encoding") == used
            assert len(answer.body) < len(WORDS) / 10
        answer = await ask(envoy)
        assert (answer.header("content-encoding"), answer.body) == (None, WORDS)
        backend.body = b"short"
        answer = await ask(envoy, (("accept-encoding", "gzip"),))
        assert (answer.header("content-encoding"), answer.body) == (None, b"short")


async def test_only_named_types_are_compressed() -> None:
    compression = {"encodings": ["gzip"], "contentTypes": ["application/x-books"]}
    async with started(*documents(compression=compression)) as (envoy, backend):
        gzip = (("accept-encoding", "gzip"),)
        assert (await ask(envoy, gzip)).header("content-encoding") is None
        backend.headers = (("content-type", "application/x-books"),)
        assert (await ask(envoy, gzip)).header("content-encoding") == "gzip"


async def test_without_a_policy_nothing_is_compressed() -> None:
    async with started(*documents()) as (envoy, _):
        answer = await ask(envoy, (("accept-encoding", "gzip"),))
    assert (answer.header("content-encoding"), answer.body) == (None, WORDS)


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("second_pass", [False, True])
async def test_a_websocket_passes_over_http2(pool: bool, second_pass: bool) -> None:
    written = documents("http2", pool=pool, second_pass=second_pass, upgrades=["WEBSOCKET"])
    async with started(*written) as (envoy, backend):
        async with Tunnel(envoy.ports[8080]) as tunnel:
            status = await tunnel.open("shop.test", protocol="websocket", path="/shop/chat")
            assert status == 200
            assert await tunnel.echo(b"hello") == b"hello"
        assert backend.seen[0].headers["upgrade"] == "websocket"


async def test_without_a_policy_no_websocket_passes_over_http2() -> None:
    async with started(*documents("http2")) as (envoy, backend):
        async with Tunnel(envoy.ports[8080]) as tunnel:
            with pytest.raises(ConnectionError):
                await tunnel.open("shop.test", protocol="websocket", path="/chat")
        assert backend.seen == []


@pytest.mark.parametrize("pool", [False, True])
async def test_a_tunnel_passes_bytes_over_http2(pool: bool) -> None:
    async with started(*documents("http2", pool=pool, upgrades=["CONNECT"])) as (envoy, backend):
        async with Tunnel(envoy.ports[8080]) as tunnel:
            assert await tunnel.open("books.test:80") == 200
            inside = request_bytes("GET", "/inside", "anything")
            assert WORDS in await tunnel.echo(inside, until=WORDS)
        assert backend.seen[0].target == "/inside"
        assert backend.seen[0].headers == {"host": "anything"}


@pytest.mark.parametrize("pool", [False, True])
async def test_a_tunnel_passes_bytes_over_http1(pool: bool) -> None:
    async with started(*documents(pool=pool, upgrades=["CONNECT"])) as (envoy, backend):
        async with envoy.client(8080) as client, asyncio.timeout(10):
            reader, writer = await client.streams()
            writer.write(request_bytes("CONNECT", "books.test:80", "books.test:80"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.write(request_bytes("GET", "/inside", "anything"))
            assert (await read_answer(reader)).body == WORDS
        assert backend.seen[0].target == "/inside"


async def test_without_a_policy_there_are_no_tunnels() -> None:
    async with started(*documents()) as (envoy, backend), envoy.client(8080) as client:
        answer = await client.ask("CONNECT", "books.test:80", "books.test:80")
        assert answer.status in (403, 404)
    assert backend.seen == []
