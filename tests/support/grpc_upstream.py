"""A gRPC backend that does as the test says: it echoes messages, has trailers and a health."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

HEALTH = "/grpc.health.v1.Health/Check"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
"""`grpc.health.v1.HealthCheckResponse`: field 1, varint."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call a backend got."""

    method: str
    metadata: dict[str, str]


Reply = Callable[[Call], Awaitable[grpc.StatusCode]]


@dataclass(slots=True)
class GrpcUpstream:
    """A backend that speaks gRPC.

    Attributes:
        reply: status of its answer to a call.
        port: where it listens, on 127.0.0.1.
        seen: calls it got, in order, health checks aside.
        waiting: calls it has not answered yet.
        health: its answer to health checks.
        checked: what it was asked for its health by; no bytes ask for the server as a whole.
    """

    reply: Reply
    port: int = 0
    seen: list[Call] = field(default_factory=list)
    waiting: int = 0
    health: bytes = SERVING
    checked: set[bytes] = field(default_factory=set)

    async def check(self, request: bytes, _: Any) -> bytes:
        """Answers a health check."""
        self.checked.add(request)
        return self.health

    async def answer(
        self, call: Call, requests: AsyncIterator[bytes], context: Any
    ) -> AsyncIterator[bytes]:
        """Answers a call: a status, or every message as it comes."""
        self.seen.append(call)
        self.waiting += 1
        try:
            code = await self.reply(call)
        finally:
            self.waiting -= 1
        if code is not grpc.StatusCode.OK:
            await context.abort(code, "as told", (("x-trailer", "failed"),))
        context.set_trailing_metadata((("x-trailer", "kept"),))
        async for message in requests:
            yield message


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, backend: GrpcUpstream) -> None:
        self._backend = backend

    def service(self, details: Any) -> Any:
        if details.method == HEALTH:
            return grpc.unary_unary_rpc_method_handler(self._backend.check)
        call = Call(details.method, {item.key: item.value for item in details.invocation_metadata})

        async def handle(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            async for message in self._backend.answer(call, requests, context):
                yield message

        return grpc.stream_stream_rpc_method_handler(handle)


async def _well(_: Call) -> grpc.StatusCode:
    return grpc.StatusCode.OK


def always(code: grpc.StatusCode) -> Reply:
    """A reply that is always the same."""

    async def reply(_: Call) -> grpc.StatusCode:
        return code

    return reply


@asynccontextmanager
async def grpc_upstream(reply: Reply = _well) -> AsyncIterator[GrpcUpstream]:
    """Runs a backend."""
    backend = GrpcUpstream(reply)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Handler(backend),))
    backend.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield backend
    finally:
        await server.stop(grace=None)
