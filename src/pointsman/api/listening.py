"""HTTP servers on TCP beside something more important."""

import ipaddress
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from starlette.types import ASGIApp

from pointsman.api.background import Background
from pointsman.errors import UsageError


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """Where something is answered.

    Attributes:
        host: IP address.
        port: TCP port; 0 lets the system choose.
    """

    host: str
    port: int


class HttpServer:
    """Answers over HTTP; use it as a context manager.

    Args:
        address: where.
        application: what answers.
        option: of the command line, that names the address.
    """

    def __init__(self, address: HttpAddress, application: ASGIApp, option: str) -> None:
        self._address = address
        self._application = application
        self._option = option
        self._socket: socket.socket | None = None
        self._http: Background | None = None

    @property
    def bound(self) -> str:
        """The address in use, as `HOST:PORT`."""
        assert self._socket is not None
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def __aenter__(self) -> Self:
        """Starts to answer.

        Raises:
            UsageError: the address cannot be listened on.
        """
        self._socket = _listening(self._address, self._option)
        self._http = Background(self._application, fd=self._socket.fileno())
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


def _listening(address: HttpAddress, option: str) -> socket.socket:
    six = ipaddress.ip_address(address.host).version == 6
    opened = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address.host, address.port))
        opened.listen()
    except OSError as error:
        opened.close()
        raise UsageError(
            f"cannot answer on {address.host}:{address.port}: {error.strerror}",
            hint=f"name another address with {option}",
        ) from None
    return opened
