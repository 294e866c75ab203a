"""gRPC backends: any service, any method, any kind of call; messages come back as they are.

On the wire a unary call is a streaming call of one message, so one stream-to-stream handler over
raw bytes serves all four kinds. A call with many requests and one response would get many answers;
nothing in a request tells such a call from a bidirectional one.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final, NoReturn, Self

import grpc

from pointsman.echo.backend import Backend, joined
from pointsman.echo.behaviour import EchoBehaviour

HOST: Final = "127.0.0.1"
NODE_METADATA: Final = "x-pointsman-virtual-node"
ECHO_METADATA: Final = "x-pointsman-echo"

LONGEST_ECHO: Final = 4096
"""Bytes of the JSON in the trailers: clients accept 8 KB of metadata by default."""

_HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"
"""grpc.health.v1.HealthCheckResponse{status: SERVING}: field 1, varint, 1."""

_FROM_HTTP: Final = {
    400: grpc.StatusCode.INTERNAL,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNIMPLEMENTED,
    429: grpc.StatusCode.UNAVAILABLE,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.UNAVAILABLE,
}
"""gRPC's own table for HTTP statuses (grpc/doc/http-grpc-status-mapping.md)."""

_BY_NUMBER: Final = {code.value[0]: code for code in grpc.StatusCode}


class GrpcListener:
    """Serves one backend until closed.

    Attributes:
        port: the TCP port.
    """

    def __init__(self, port: int, server: Any) -> None:
        self.port = port
        self._server = server

    @classmethod
    async def open(cls, backend: Backend) -> Self:
        """Listen on a port chosen by the system. Servers share gRPC's threads: 0.5 ms each.

        Raises:
            OSError: nothing could be listened on.
        """
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((EchoHandler(backend),))
        try:
            port = server.add_insecure_port(f"{HOST}:0")
        except RuntimeError as error:
            raise OSError(str(error)) from None
        await server.start()
        return cls(port, server)

    async def close(self) -> None:
        """Listen no more and cut what is connected."""
        await self._server.stop(grace=None)


class EchoHandler(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers whatever is called."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def service(self, handler_call_details: Any) -> Any:
        """The handler for a call: health checks have their own, the rest is echoed."""
        method = str(handler_call_details.method)
        if method == _HEALTH_CHECK:
            return grpc.unary_unary_rpc_method_handler(_answer_health)

        async def handle(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            await self._begin(method, context)
            async for message in requests:
                yield message

        return grpc.stream_stream_rpc_method_handler(handle)

    async def _begin(self, method: str, context: Any) -> None:
        metadata = joined(_text(entry) for entry in context.invocation_metadata())
        answer = self._backend.echo(
            method="POST", path=method, authority="", headers=metadata, protocol="HTTP/2"
        )
        trailers = ((ECHO_METADATA, _bounded(answer)),)
        await context.send_initial_metadata(((NODE_METADATA, self._backend.name),))
        context.set_trailing_metadata(trailers)
        try:
            behaviour = self._backend.behaviour.steered_by(metadata)
        except ValueError as error:
            await _abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error), trailers)
        await self._behave(behaviour, context, trailers)

    async def _behave(self, behaviour: EchoBehaviour, context: Any, trailers: Any) -> None:
        code = status_code(self._backend.dice.status(behaviour))
        if behaviour.delay_ms:
            await asyncio.sleep(behaviour.delay_ms / 1000)
        if code is not grpc.StatusCode.OK:
            await _abort(context, code, f"asked of {self._backend.name}", trailers)


def status_code(status: int) -> grpc.StatusCode:
    """The gRPC status for a behaviour's status, which may be a gRPC or an HTTP one."""
    if status <= 16:
        return _BY_NUMBER[status]
    if status < 300:
        return grpc.StatusCode.OK
    return _FROM_HTTP.get(status, grpc.StatusCode.UNKNOWN)


async def _answer_health(request: bytes, context: Any) -> bytes:  # noqa: ARG001
    return _SERVING


async def _abort(context: Any, code: Any, details: str, trailers: Any) -> NoReturn:
    await context.abort(code, details, trailers)
    raise AssertionError("abort always raises")


def _text(entry: tuple[str, str | bytes]) -> tuple[str, str]:
    name, value = entry
    return name, value.hex() if isinstance(value, bytes) else value


def _bounded(answer: dict[str, Any]) -> str:
    # ASCII by default, as metadata must be.
    text = json.dumps(answer)
    return text if len(text) <= LONGEST_ECHO else json.dumps(answer | {"headers": {}})
