"""Where proxies connect to: a Unix socket, or TCP with TLS or, if it must be, without."""

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pointsman.errors import UsageError
from pointsman.xds.server_tls import ServerTls

UNIX: Final = "unix:"
PRIVATE: Final = 0o600
_PROBE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """How to listen.

    Attributes:
        address: `unix:PATH` or `HOST:PORT`; port 0 lets the system choose.
        tls: certificates of TLS; None for plaintext.
        insecure: whether plaintext is right for an address that other machines reach.
        socket_mode: permissions of a Unix socket.
    """

    address: str
    tls: ServerTls | None = None
    insecure: bool = False
    socket_mode: int = PRIVATE


def listen(server: Any, options: ListenOptions) -> str:
    """Opens the port of a `grpc.aio` server.

    Returns:
        The address, with the port in use.

    Raises:
        UsageError: it cannot be listened on, or should not be.
    """
    address = options.address
    try:
        if address.startswith(UNIX):
            with _fresh_socket(Path(address.removeprefix(UNIX)), options.socket_mode):
                server.add_insecure_port(address)
            return address
        host = address.rpartition(":")[0]
        if options.tls is not None:
            return f"{host}:{server.add_secure_port(address, options.tls.credentials())}"
        if not (options.insecure or is_loopback(host)):
            raise UsageError(
                f"{address} is open to other machines, and without TLS anybody there may read it",
                hint="name --tls-cert and --tls-key, or say --insecure",
            )
        return f"{host}:{server.add_insecure_port(address)}"
    except RuntimeError as error:
        raise UsageError(
            f"cannot serve proxies on {address}", hint="is another instance running?"
        ) from error


def is_private(address: str) -> bool:
    """Whether only this machine reaches the address: a Unix socket, or a loopback one."""
    return address.startswith(UNIX) or is_loopback(address.rpartition(":")[0])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host: `localhost`, or a loopback address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def _fresh_socket(path: Path, mode: int) -> Iterator[None]:
    """Sees to the permissions of a socket made within, from its first moment on.

    gRPC takes the place of any socket it finds, so one that is in use has to be found out here.
    """
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.settimeout(_PROBE_S)
        probe.connect(str(path))
        raise UsageError(f"another instance serves proxies on {path}")
    if not path.parent.is_dir():
        raise UsageError(
            f"cannot serve proxies on {path}: there is no folder {path.parent}",
            hint=f"make it, for example: mkdir -p {path.parent}",
        )
    before = os.umask(0o777 & ~mode)
    try:
        yield
    finally:
        os.umask(before)
