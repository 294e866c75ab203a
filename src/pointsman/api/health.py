"""Whether this process lives, and whether it is ready, for those who start and balance it.

`GET /live` is answered 200 as long as the process answers at all. `GET /ready` is answered 200, or
503 and the reason in a line of text: before the start is over, and from the moment it is to end.
"""

import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pointsman.api.background import Background
from pointsman.errors import UsageError

Unready = Callable[[], Awaitable[str]]
"""Why the process is not ready; "" when it is."""


@dataclass(frozen=True, slots=True)
class HealthAddress:
    """Where health is told.

    Attributes:
        host: IP address.
        port: TCP port; 0 lets the system choose.
    """

    host: str
    port: int


class HealthServer:
    """Answers questions for health; use it as a context manager.

    Args:
        address: where.
        unready: see `Unready`.
    """

    def __init__(self, address: HealthAddress, unready: Unready) -> None:
        self._address = address
        self._unready = unready
        self._socket: socket.socket | None = None
        self._http: Background | None = None

    @property
    def bound(self) -> str:
        """The address in use, as `HOST:PORT`."""
        assert self._socket is not None
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def _live(self, _request: Request) -> PlainTextResponse:
        return PlainTextResponse("live\n")

    async def _ready(self, _request: Request) -> PlainTextResponse:
        reason = await self._unready()
        return PlainTextResponse(f"{reason or 'ready'}\n", 503 if reason else 200)

    async def __aenter__(self) -> Self:
        """Starts to answer.

        Raises:
            UsageError: the address cannot be listened on.
        """
        self._socket = _listening(self._address)
        application = Starlette(routes=[Route("/live", self._live), Route("/ready", self._ready)])
        self._http = Background(application, fd=self._socket.fileno())
        await self._http.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._http is not None
        assert self._socket is not None
        await self._http.stop()
        self._socket.close()


def _listening(address: HealthAddress) -> socket.socket:
    six = ipaddress.ip_address(address.host).version == 6
    opened = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address.host, address.port))
        opened.listen()
    except OSError as error:
        opened.close()
        raise UsageError(
            f"cannot answer for health on {address.host}:{address.port}: {error.strerror}",
            hint="name another address with --health",
        ) from None
    return opened
