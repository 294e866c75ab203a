"""HTTP backends: HTTP/1.1 and HTTP/2 with prior knowledge on one port, by Hypercorn.

Each backend has a Hypercorn `serve` of its own on the same event loop: measured at 0.2 ms and
20 KB each, so 1,000 of them cost less than starting the process.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Self

from hypercorn.asyncio import serve
from hypercorn.config import Config

from pointsman.echo.backend import Backend, joined, padded
from pointsman.echo.behaviour import EchoBehaviour
from pointsman.echo.caller import Caller

HOST: Final = "127.0.0.1"
MOST_REQUEST_BYTES: Final = 64 * 1024 * 1024

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_BODILESS = frozenset({204, 304})
_DAY_S = 86_400.0
_logger = logging.getLogger("pointsman.echo")


class HttpListener:
    """Serves one backend until closed.

    Attributes:
        port: the TCP port.
    """

    def __init__(
        self, port: int, app: "EchoApp", task: "asyncio.Task[None]", closing: asyncio.Event
    ) -> None:
        self.port = port
        self._app = app
        self._task = task
        self._closing = closing

    @classmethod
    async def open(cls, backend: Backend) -> Self:
        """Listen on a port chosen by the system.

        Raises:
            OSError: no socket could be made.
        """
        listening = socket.create_server((HOST, 0), backlog=512)
        port = int(listening.getsockname()[1])
        closing = asyncio.Event()
        app = EchoApp(backend)
        config = _config(listening.detach())
        task = asyncio.create_task(serve(app, config, shutdown_trigger=closing.wait))
        return cls(port, app, task, closing)

    async def close(self) -> None:
        """Listen no more and cut what is connected."""
        self._closing.set()
        await asyncio.wait([self._task])
        await self._app.close()


class EchoApp:
    """The ASGI application of one backend."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._caller = Caller(backend)

    async def close(self) -> None:
        """Close the connections to other backends."""
        await self._caller.close()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of scope have nothing to say."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = joined((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
        if not await _drained(receive):
            await _respond(scope, send, 413, _line({"error": "request body above 64 MiB"}))
            return
        try:
            behaviour = self._behaviour_for(scope["path"], headers)
            called = await self._caller.call(headers)
        except ValueError as error:
            await _respond(scope, send, 400, _line({"error": str(error)}))
            return
        status = self._backend.dice.status(behaviour)
        if behaviour.delay_ms:
            await asyncio.sleep(behaviour.delay_ms / 1000)
        answer = self._backend.echo(
            method=scope["method"],
            path=_target(scope),
            authority=headers.get("host", ""),
            headers=headers,
            protocol="HTTP/2" if scope["http_version"] == "2" else f"HTTP/{scope['http_version']}",
        )
        if called is not None:
            answer["called"] = called
        name = self._backend.name.encode()
        body = padded(answer, behaviour.body_bytes)
        await _respond(scope, send, status, body, [(b"x-pointsman-virtual-node", name)])

    def _behaviour_for(self, path: str, headers: dict[str, str]) -> EchoBehaviour:
        # A demo of failures must not take its backend out of rotation: health checks, by the
        # customary path or by Envoy's own user agent, always pass.
        if path == "/ping" or headers.get("user-agent") == "Envoy/HC":
            return EchoBehaviour()
        behaviour = self._backend.behaviour.steered_by(headers)
        if behaviour.status < 200:
            raise ValueError(f"status is {behaviour.status}, not 200 to 599")
        return behaviour


def _config(descriptor: int) -> Config:
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.errorlog = _logger
    config.accesslog = None
    config.include_server_header = False
    # Envoy keeps idle connections for an hour. Closing one under it looks like a reset now and
    # then, which is not what a demo is to show.
    config.keep_alive_timeout = _DAY_S
    config.keep_alive_max_requests = 2**31
    config.h2_max_concurrent_streams = 1000
    config.h11_max_incomplete_size = 64 * 1024  # Envoy lets 60 KB of request headers through
    config.graceful_timeout = 0.1
    return config


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _drained(receive: Receive) -> bool:
    """Read the request's body away; False if it is too long to be worth it."""
    received = 0
    while received <= MOST_REQUEST_BYTES:
        message = await receive()
        received += len(message.get("body", b""))
        if not message.get("more_body", False):
            return True
    return False


def _target(scope: Message) -> str:
    path = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _line(answer: dict[str, str]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


async def _respond(
    scope: Message,
    send: Send,
    status: int,
    body: bytes,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    bodiless = status in _BODILESS
    fields = [(b"content-type", b"application/json"), *(headers or [])]
    if not bodiless:
        fields.append((b"content-length", str(len(body)).encode()))
    shown = b"" if bodiless or scope["method"] == "HEAD" else body
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": shown})
