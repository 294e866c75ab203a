"""The server's manners towards clients that speak gRPC to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2
from grpc import aio

from pointsman.envoy.sealed import CLUSTER, Sealed
from pointsman.errors import UsageError
from pointsman.xds.server import LONGEST_REQUEST, AdsServer
from pointsman.xds.snapshot import Snapshot
from tests.support.wait import eventually

SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
Request = discovery_pb2.DeltaDiscoveryRequest


def clusters(*names: str) -> Snapshot:
    body = any_pb2.Any(type_url=CLUSTER).SerializeToString()
    return Snapshot({CLUSTER: {n: Sealed(CLUSTER, n, "1", body) for n in names}})


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[AdsServer]:
    server = AdsServer(lambda node: None if node.id == "stranger" else node.cluster)
    await server.start(f"unix:{folder}/ads.sock")
    yield server
    await server.stop(0.0)


@pytest.fixture
async def channel(
    server: AdsServer,  # noqa: ARG001 (it listens there)
    folder: Path,
) -> AsyncIterator[Any]:
    async with aio.insecure_channel(f"unix:{folder}/ads.sock") as channel:
        yield channel


async def subscribe(channel: Any, authorization: str | None = None, **node: Any) -> Any:
    metadata = () if authorization is None else (("authorization", authorization),)
    call = channel.stream_stream(
        SERVICE + "DeltaAggregatedResources",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
    )(metadata=metadata)
    await call.write(Request(node=node, type_url=CLUSTER))
    return call


@pytest.mark.parametrize(
    ("node", "code", "words"),
    [
        ({}, grpc.StatusCode.INVALID_ARGUMENT, "node with an id"),
        ({"id": "stranger"}, grpc.StatusCode.INVALID_ARGUMENT, "'stranger'"),
    ],
)
async def test_a_proxy_nobody_knows_is_told_why(
    channel: Any, node: dict[str, str], code: grpc.StatusCode, words: str
) -> None:
    call = await subscribe(channel, **node)
    assert await call.code() == code
    assert words in await call.details()


async def test_a_stream_waits_for_the_first_snapshot_of_its_class(
    server: AdsServer, channel: Any
) -> None:
    call = await subscribe(channel, id="p", cluster="x")
    server.publish("other", clusters("b"))
    await eventually(lambda: server.nodes)
    server.publish("x", clusters("a"))
    answer = await call.read()
    assert [r.name for r in answer.resources] == ["a"]


async def test_two_proxies_may_share_an_id_and_do_share_bytes(
    server: AdsServer, channel: Any
) -> None:
    server.publish("x", clusters("a"))
    calls = [await subscribe(channel, id="p", cluster="x") for _ in range(2)]
    first, second = [await call.read() for call in calls]
    assert first == second
    assert [node.id for node in server.nodes.values()] == ["p", "p"]


async def test_the_registry_tells_what_a_proxy_said(server: AdsServer, channel: Any) -> None:
    server.publish("x", clusters("a", "b"))
    call = await subscribe(channel, id="p", cluster="x")
    answer = await call.read()
    (node,) = server.nodes.values()
    status = node.of(CLUSTER)
    assert (status.sent, status.acked, node.wire) == (answer.nonce, "", "delta")
    refusal = Request(type_url=CLUSTER, response_nonce=answer.nonce)
    refusal.error_detail.message = "no"
    await call.write(refusal)
    retry = await call.read()
    assert (status.nacked, status.message) == (answer.nonce, "no")
    await call.write(Request(type_url=CLUSTER, response_nonce=retry.nonce))
    await eventually(lambda: status.acked == retry.nonce)
    assert status.message == ""
    call.cancel()
    await eventually(lambda: not server.nodes)


async def test_stopping_ends_streams_one_after_the_other(server: AdsServer, channel: Any) -> None:
    server.publish("x", clusters("a"))
    calls = [await subscribe(channel, id=f"p{n}", cluster="x") for n in range(4)]
    for call in calls:
        await call.read()
    loop = asyncio.get_running_loop()
    ended: list[float] = []

    async def end(call: Any) -> None:
        assert await call.read() is aio.EOF
        assert await call.code() == grpc.StatusCode.OK
        ended.append(loop.time())

    await asyncio.gather(server.stop(0.4), *(end(call) for call in calls))
    assert 0.2 < ended[-1] - ended[0] < 1.0
    assert not server.nodes


async def test_forgotten_classes_keep_what_they_have_and_new_streams_wait(
    server: AdsServer, channel: Any
) -> None:
    server.publish("x", clusters("a"))
    old = await subscribe(channel, id="old", cluster="x")
    answer = await old.read()
    server.forget("x")
    new = await subscribe(channel, id="new", cluster="x")
    await eventually(lambda: len(server.nodes) == 2)
    server.publish("x", clusters("a", "b"))
    await old.write(Request(type_url=CLUSTER, response_nonce=answer.nonce))
    assert [r.name for r in (await old.read()).resources] == ["b"]
    assert sorted(r.name for r in (await new.read()).resources) == ["a", "b"]


async def test_the_address_in_use_is_told_and_a_taken_one_refused() -> None:
    server, second = AdsServer(lambda _node: None), AdsServer(lambda _node: None)
    address = await server.start("127.0.0.1:0")
    assert not address.endswith(":0")
    with pytest.raises(UsageError, match=address):
        await second.start(address)
    await second.stop(0.0)
    await server.stop(0.0)


async def test_whoever_does_not_say_who_it_is_is_not_kept(
    channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.xds.server.FIRST_S", 0.05)
    call = channel.stream_stream(SERVICE + "DeltaAggregatedResources")()
    async with asyncio.timeout(10):
        assert await call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "no request came" in await call.details()


async def test_a_request_beyond_measure_is_refused(channel: Any) -> None:
    call = await subscribe(channel, id="p", cluster="x" * (LONGEST_REQUEST + 1))
    assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
