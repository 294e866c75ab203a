"""Listeners that speak HTTP/2, called by a real gRPC client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc
import pytest

from tests.support.gateway import Running, running
from tests.support.grpc_upstream import Call, GrpcUpstream, always, grpc_upstream
from tests.support.manifests import (
    MESH,
    Document,
    document,
    gateway,
    node,
    router,
    service,
)
from tests.support.scenes import linked
from tests.support.upstream import until

pytestmark = pytest.mark.envoy
Code = grpc.StatusCode
GRPC = (("content-type", "application/grpc"), ("te", "trailers"))


def gateway_route(name: str, match: Document, target: str) -> Document:
    action = {"target": {"virtualService": {"virtualServiceRef": {"name": target}}}}
    return document("GatewayRoute", name, {"grpcRoute": {"match": match, "action": action}})


def route(name: str, match: Document, node_name: str, **more: Any) -> Document:
    targets = [{"virtualNodeRef": {"name": node_name}, "weight": 1}]
    body = {"match": match, "action": {"weightedTargets": targets}, **more}
    return {"name": name, "grpcRoute": body}


def books(*routes: Document, protocol: str = "grpc", **listener: Any) -> tuple[Document, ...]:
    """The service shop.Books, behind a router; red and blue are its nodes."""
    mapped = {"portMapping": {"port": 8080, "protocol": protocol}, **listener}
    return (
        MESH,
        gateway(listeners=[mapped]),
        node("red", 80, protocol="grpc"),
        node("blue", 80, protocol="grpc"),
        service("books", router="books"),
        router("books", *routes or (route("all", {}, "red"),)),
        gateway_route("books", {"serviceName": "shop.Books"}, "books"),
    )


@asynccontextmanager
async def calling(
    documents: tuple[Document, ...], **ports: int
) -> AsyncIterator[tuple[Running, grpc.aio.Channel]]:
    """A gateway, and a channel to it."""
    with running(linked(*documents, **ports).graph, echo=False) as envoy:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{envoy.ports[8080]}") as channel:
            yield envoy, channel


async def status(
    channel: grpc.aio.Channel, method: str, *metadata: tuple[str, str]
) -> grpc.StatusCode:
    call = channel.unary_unary(method)(b"hello", metadata=metadata, timeout=15)
    code: grpc.StatusCode = await call.code()
    return code


async def test_calls_are_routed_by_service_method_and_metadata() -> None:
    red_ones = [{"name": "x-color", "match": {"exact": "red"}}]
    documents = (
        *books(
            route("red", {"serviceName": "shop.Books", "metadata": red_ones}, "red"),
            route("get", {"serviceName": "shop.Books", "methodName": "Get"}, "blue"),
        ),
        gateway_route("lost", {"serviceName": "shop.Lost"}, "nobody"),
    )
    async with (
        grpc_upstream() as red,
        grpc_upstream() as blue,
        calling(documents, red=red.port, blue=blue.port) as (envoy, channel),
    ):
        assert await status(channel, "/shop.Books/Get") is Code.OK
        assert await status(channel, "/shop.Books/Put", ("x-color", "red")) is Code.OK
        assert await status(channel, "/shop.Books/Put") is Code.UNIMPLEMENTED
        assert await status(channel, "/shop.Book/Get") is Code.UNIMPLEMENTED
        assert await status(channel, "/shop.Lost/Get") is Code.UNAVAILABLE
        async with envoy.http2_client(8080) as client:
            for path, number in (("/shop.Book/Get", "12"), ("/shop.Lost/Get", "14")):
                answer = await client.ask("POST", path, "shop.test", GRPC)
                assert (answer.status, answer.header("grpc-status")) == (200, number)
            assert (await client.ask("GET", "/shop.Book/Get", "shop.test")).status == 404
    assert [call.method for call in blue.seen] == ["/shop.Books/Get"]
    assert [call.method for call in red.seen] == ["/shop.Books/Put"]


@pytest.mark.parametrize("protocol", ["grpc", "http2"])
async def test_streams_and_trailers_pass(protocol: str) -> None:
    async with (
        grpc_upstream() as red,
        calling(books(protocol=protocol), red=red.port) as (_, channel),
        asyncio.timeout(15),
    ):
        call = channel.stream_stream("/shop.Books/Chat")()
        for message in (b"one", b"two"):
            await call.write(message)
            assert await call.read() == message
        await call.done_writing()
        assert await call.read() == grpc.aio.EOF
        assert dict(await call.trailing_metadata())["x-trailer"] == "kept"


@pytest.mark.parametrize(
    ("events", "code", "tries"),
    [
        (None, Code.UNAVAILABLE, 3),
        (None, Code.INTERNAL, 1),
        (["internal"], Code.INTERNAL, 2),
        (["internal"], Code.UNAVAILABLE, 1),
        (["resource-exhausted", "cancelled"], Code.CANCELLED, 2),
        (["deadline-exceeded"], Code.DEADLINE_EXCEEDED, 2),
        (["unavailable"], Code.UNAVAILABLE, 2),
    ],
)
async def test_a_failing_backend_is_tried_as_often_as_written(
    events: list[str] | None, code: grpc.StatusCode, tries: int
) -> None:
    second = {"unit": "s", "value": 5}
    policy = {"maxRetries": 1, "perRetryTimeout": second, "grpcRetryEvents": events}
    more = {} if events is None else {"retryPolicy": policy}
    async with (
        grpc_upstream(always(code)) as red,
        calling(books(route("all", {}, "red", **more)), red=red.port) as (_, channel),
    ):
        call = channel.unary_unary("/shop.Books/Get")(b"", timeout=15)
        assert await call.code() is code
        assert dict(await call.trailing_metadata())["x-trailer"] == "failed"
    assert len(red.seen) == tries


@pytest.mark.parametrize("protocol", ["grpc", "http2"])
async def test_a_full_pool_refuses_what_is_over(protocol: str) -> None:
    gate = asyncio.Event()

    async def wait(_: Call) -> grpc.StatusCode:
        await gate.wait()
        return Code.OK

    pool = {protocol: {"maxRequests": 2}}
    documents = books(protocol=protocol, connectionPool=pool)
    async with (
        grpc_upstream(wait) as red,
        calling(documents, red=red.port) as (_, channel),
    ):
        asked = []
        for under_way in (1, 2):
            asked.append(asyncio.create_task(status(channel, "/shop.Books/Get")))
            await until(partial(_waits, red, under_way))
        refused = [await status(channel, "/shop.Books/Get") for _ in range(3)]
        assert refused == [Code.UNAVAILABLE] * 3
        assert red.waiting == 2
        gate.set()
        assert await asyncio.gather(*asked) == [Code.OK] * 2


def _waits(backend: GrpcUpstream, count: int) -> bool:
    return backend.waiting == count


@pytest.mark.parametrize("protocol", ["grpc", "http2"])
async def test_such_listeners_speak_nothing_older(protocol: str) -> None:
    with running(linked(*books(protocol=protocol)).graph) as envoy:
        async with envoy.http2_client(8080) as client:
            answer = await client.ask("POST", "/shop.Books/Get", "shop.test")
            assert answer.header("x-cluster") == "cds_egress_mesh_red_shop_grpc_80"
        async with envoy.client(8080) as old:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await old.ask("GET", "/shop.Books/Get", "shop.test")
