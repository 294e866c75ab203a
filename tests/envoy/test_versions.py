"""VersionPolicy by traffic: who gets which version, and what users of an old one are told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from tests.support.gateway import Running
from tests.support.http1 import Answer, request_bytes
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
Headers = tuple[tuple[str, str], ...]
TYPE = "application/vnd.shop.v{}+json"
SINCE = {"at": "2026-01-01T00:00:00Z"}


def version(name: str, number: int, **spec: Any) -> Document:
    return policy("VersionPolicy", name, f"GatewayRoute/{name}", version=f"v{number}", **spec)


def shop(*written: Document, listener: str = "http") -> tuple[Document, ...]:
    """One backend behind a router, and what leads there."""
    return (
        MESH,
        gateway((8080, listener)),
        node("orders", 80),
        service("orders", router="orders"),
        router("orders", route("all", {"prefix": "/"}, ("orders", 1))),
        *written,
    )


@asynccontextmanager
async def started(*written: Document) -> AsyncIterator[tuple[Running, Upstream]]:
    async with upstream() as backend, serving(*written, orders=backend.port) as envoy:
        yield envoy, backend


async def ask(envoy: Running, target: str, *headers: tuple[str, str]) -> Answer:
    async with envoy.client(8080) as client:
        return await client.ask("GET", target, "shop.test", headers)


async def chosen(envoy: Running, target: str, *headers: tuple[str, str]) -> str:
    answer = await ask(envoy, target, *headers)
    return (answer.header("x-route") or "").removeprefix("shop/") or str(answer.status)


async def test_a_version_is_picked_by_header_or_media_type() -> None:
    written = shop(
        gateway_route("h1", {"prefix": "/h"}, "orders"),
        gateway_route("h2", {"prefix": "/h"}, "orders"),
        gateway_route("t1", {"prefix": "/t"}, "orders"),
        gateway_route("t2", {"prefix": "/t"}, "orders"),
        version("h1", 1, header="X-Version", default=True),
        version("h2", 2, header="X-Version"),
        version("t1", 1, mediaType=TYPE.format(1), default=True),
        version("t2", 2, mediaType=TYPE.format(2)),
    )
    async with started(*written) as (envoy, _):
        by_header = {
            (): "h1/all",
            ("",): "h1/all",
            ("v1",): "h1/all",
            ("v2",): "h2/all",
            ("v3",): "404",
        }
        for values, wanted in by_header.items():
            headers = tuple(("x-version", value) for value in values)
            assert await chosen(envoy, "/h", *headers) == wanted, values
        one, two = TYPE.format(1), TYPE.format(2)
        by_type = {
            (): "t1/all",
            ("*/*",): "t1/all",
            (one,): "t1/all",
            (two,): "t2/all",
            (f"text/html, {two};q=0.5, */*",): "t2/all",
            ("text/html", two): "t2/all",
            (f"{two};q=0",): "t1/all",
            (f"{two}; Q=0.000, {one}",): "t1/all",
            (f"{two};q=0.001",): "t2/all",
            (f"{two};charset=utf-8;q=0,{one}",): "t1/all",
            (f"{two};q=0, {two};v=1",): "t2/all",
        }
        for values, wanted in by_type.items():
            headers = tuple(("accept", value) for value in values)
            assert await chosen(envoy, "/t", *headers) == wanted, values


async def test_a_backend_cannot_hide_that_its_version_goes_and_the_second_pass_says_so() -> None:
    """A regex behind a rewritten prefix is what one pass cannot say."""
    written = (
        *shop()[:4],
        router("orders", route("all", {"path": {"regex": "/[a-z]*"}}, ("orders", 1))),
        gateway_route("old", {"prefix": "/shop/"}, "orders"),
        version("old", 1, deprecated={**SINCE, "link": "https://shop.example/a%20b"}),
    )
    async with started(*written) as (envoy, backend):
        backend.headers = (("deprecation", "@0"), ("link", '</next>; rel="next"'))
        answer = await ask(envoy, "/shop/list")
    said = [(name, value) for name, value in answer.headers if name in ("deprecation", "link")]
    assert (answer.status, sorted(said)) == (
        200,
        [
            ("deprecation", "@1767225600"),
            ("link", '</next>; rel="next"'),
            ("link", '<https://shop.example/a%20b>; rel="deprecation"'),
        ],
    )


async def test_a_retired_version_is_gone_for_whoever_asks() -> None:
    """HTTP gets a problem, gRPC a status that its clients can read, and no tunnel gets through."""
    written = shop(
        gateway_route("old", {"prefix": "/"}, "orders", rewrite={"prefix": {"value": "/"}}),
        version("old", 1, retired=True, successor="https://shop.example/v2"),
        policy("ListenerPolicy", "tunnels", "VirtualGateway/gateway/8080", upgrades=["CONNECT"]),
    )
    async with started(*written) as (envoy, backend):
        answer = await ask(envoy, "/any")
        assert answer.status == 410
        assert answer.header("content-type") == "application/problem+json"
        assert answer.header("link") == '<https://shop.example/v2>; rel="successor-version"'
        assert json.loads(answer.body)["successor"] == "https://shop.example/v2"
        async with envoy.client(8080) as client:
            reader, writer = await client.streams()
            writer.write(request_bytes("CONNECT", "orders.test:80", "orders.test:80"))
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 410")
    assert backend.seen == []


async def test_a_grpc_client_can_read_that_a_version_is_retired() -> None:
    written = shop(
        gateway_route("old", {"prefix": "/"}, "orders"),
        version("old", 1, retired=True),
        listener="http2",
    )
    async with (
        started(*written) as (envoy, _),
        grpc.aio.insecure_channel(f"127.0.0.1:{envoy.ports[8080]}") as channel,
    ):
        call = channel.unary_unary("/shop.Orders/Get")(b"", timeout=15)
        assert await call.code() is grpc.StatusCode.UNKNOWN
        assert "version v1 is no longer served" in (await call.details() or "")
