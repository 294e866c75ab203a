import asyncio
import json
from collections.abc import AsyncIterator

import grpc
import pytest

from pointsman.echo.behaviour import EchoBehaviour
from pointsman.echo.fleet import EchoFleet

HEALTH = "/grpc.health.v1.Health/Check"


async def test_unary_calls_come_back_with_metadata(fleet: EchoFleet) -> None:
    host, port = await fleet.ensure("colour", "shop", 50051, "grpc")
    async with grpc.aio.insecure_channel(f"{host}:{port}") as channel:
        call = channel.unary_unary("/shop.Colour/Get")(b"\x0a\x03red", metadata=(("x-a", "1"),))
        assert await call == b"\x0a\x03red"
        assert dict(await call.initial_metadata())["x-pointsman-virtual-node"] == "colour"
        echo = json.loads(dict(await call.trailing_metadata())["x-pointsman-echo"])
    assert (echo["virtualNode"], echo["path"], echo["headers"]["x-a"], echo["protocol"]) == (
        "colour",
        "/shop.Colour/Get",
        "1",
        "HTTP/2",
    )


async def test_streams_are_echoed_message_by_message(fleet: EchoFleet) -> None:
    host, port = await fleet.ensure("colour", "shop", 50051, "grpc")
    async with grpc.aio.insecure_channel(f"{host}:{port}") as channel:
        call = channel.stream_stream("/any.Service/Chat")()
        for message in (b"one", b"two"):
            await call.write(message)
            assert await call.read() == message
        await call.done_writing()
        assert await call.read() == grpc.aio.EOF

        listing: AsyncIterator[bytes] = channel.unary_stream("/any.Service/List")(b"q")
        assert [message async for message in listing] == [b"q"]


async def test_failures_are_grpc_statuses_and_still_tell_who_answered(fleet: EchoFleet) -> None:
    behaviour = EchoBehaviour(status=503)
    host, port = await fleet.ensure("colour", "shop", 50051, "grpc", behaviour)
    async with grpc.aio.insecure_channel(f"{host}:{port}") as channel:
        method = channel.unary_unary("/shop.Colour/Get")
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await method(b"")
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "x-pointsman-echo" in dict(failed.value.trailing_metadata())
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await method(b"", metadata=(("x-echo-status", "8"),))
        assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await method(b"", metadata=(("x-echo-status", "often"),))
        assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        # Health stays good, so that the demo of a failure is not taken out of rotation.
        assert await channel.unary_unary(HEALTH)(b"") == b"\x08\x01"


async def test_delay_is_per_call(fleet: EchoFleet) -> None:
    host, port = await fleet.ensure("colour", "shop", 50051, "grpc")
    async with grpc.aio.insecure_channel(f"{host}:{port}") as channel:
        method = channel.unary_unary("/shop.Colour/Get")
        began = asyncio.get_running_loop().time()
        slow = method(b"slow", metadata=(("x-echo-delay-ms", "300"),))
        assert await method(b"fast") == b"fast"
        assert not slow.done()
        assert await slow == b"slow"
        assert asyncio.get_running_loop().time() - began >= 0.3
