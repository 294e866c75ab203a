"""Traces and log records reach a collector, and one that is slow or away holds nobody up."""

import asyncio
import time
from typing import Any

import pytest

from tests.support.collector import attributes, collecting
from tests.support.manifests import MESH, Document, gateway, gateway_route, node, policy, service
from tests.support.scenes import serving
from tests.support.tls import free_port
from tests.support.upstream import Upstream, until, upstream

pytestmark = pytest.mark.envoy

SHOP = (
    MESH,
    gateway(),
    node("books", 80),
    service("books", node="books"),
    gateway_route("books", {"prefix": "/"}, "books"),
)
FORGED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""A trace that a client brings along, and wants to be sampled."""


def told(port: int, **more: Any) -> Document:
    spec = {"traces": {"samplePercent": 100}, **more}
    address = {"address": f"http://127.0.0.1:{port}"}
    return policy("TelemetryPolicy", "all", "VirtualGateway/gateway", collector=address, **spec)


def parent(backend: Upstream) -> str:
    return backend.seen[-1].headers.get("traceparent", "")


async def test_spans_and_records_reach_the_collector() -> None:
    async with collecting() as collector, upstream() as backend:
        policies = (told(collector.port, logs=True),)
        async with serving(*SHOP, *policies, books=backend.port) as envoy:
            async with envoy.client(8080) as client:
                answer = await client.ask("GET", "/a?key=secret", "shop.test")
            assert answer.status == 200
            await until(lambda: len(collector.spans) == 2 and len(collector.records) == 1)
    _, trace, span, flags = parent(backend).split("-")
    assert flags == "01"
    assert {item.trace_id.hex() for item in collector.spans} == {trace}
    (entry,) = (item for item in collector.spans if not item.parent_span_id)
    (exit_,) = (item for item in collector.spans if item.parent_span_id)
    assert (exit_.parent_span_id, exit_.span_id.hex()) == (entry.span_id, span)
    assert attributes(entry)["appmesh.virtual_gateway"].startswith("gateway")
    assert attributes(entry)["route"].endswith("/books")
    (record,) = collector.records
    assert attributes(record)["trace_id"] == trace
    assert attributes(record)["path"] == "/a"
    assert "secret" not in str(record)


@pytest.mark.parametrize(("trusts", "kept"), [(False, False), (True, True)])
async def test_whether_clients_bring_traces_along(trusts: bool, kept: bool) -> None:
    some = told(free_port(), traces={"samplePercent": 0, "trustCallers": trusts})
    async with upstream() as backend, serving(*SHOP, some, books=backend.port) as envoy:
        async with envoy.client(8080) as client:
            await client.ask("GET", "/", "shop.test", (("traceparent", FORGED),))
        assert (FORGED[3:35] in parent(backend)) == kept
        assert parent(backend).endswith("-00"), "nobody outside decides what is sampled"


async def test_a_route_has_a_share_of_its_own() -> None:
    never = policy("RoutePolicy", "never", "GatewayRoute/books", traces={"samplePercent": 0})
    async with collecting() as collector, upstream() as backend:
        policies = (told(collector.port), never)
        async with (
            serving(*SHOP, *policies, books=backend.port) as envoy,
            envoy.client(8080) as client,
        ):
            await client.ask("GET", "/", "shop.test")
        assert not parent(backend).endswith("-01")
    assert collector.spans == []


@pytest.mark.parametrize("silent", [False, True], ids=["away", "silent"])
async def test_a_collector_that_does_not_answer_holds_nobody_up(silent: bool) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1] if silent else free_port()
    async with server, upstream() as backend:
        policies = (told(port, logs=True),)
        async with (
            serving(*SHOP, *policies, books=backend.port) as envoy,
            envoy.client(8080) as client,
        ):
            started = time.monotonic()
            for _ in range(300):
                assert (await client.ask("GET", "/", "shop.test")).status == 200
            assert time.monotonic() - started < 10
