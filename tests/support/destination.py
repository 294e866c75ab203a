"""TCP servers that say who was reached and who was meant, and a client that asks them.

The file is also the program that runs inside of a network namespace: `server NAME PORT...` or
`client ADDRESS PORT [FIFO]`. It uses the standard library only.
"""

import json
import os
import selectors
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.support.netns import Namespace

SO_ORIGINAL_DST = 80
"""Of linux/netfilter_ipv4.h and ip6_tables.h: the destination before REDIRECT."""
_PYTHON = (sys.executable, "-I", "-S", __file__)


class Reached(NamedTuple):
    """Where a connection ended, and where its client wanted it to."""

    server: str
    port: int
    address: str
    wanted_port: int


@contextmanager
def serving(namespace: "Namespace", name: str, *ports: int) -> Iterator[None]:
    """A server in a namespace, on all its addresses."""
    with namespace.started(*_PYTHON, "server", name, *ports) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield


def reach(
    namespace: "Namespace", address: str, port: int, *, uid: int = 1000, gid: int | None = None
) -> Reached | None:
    """Connects from a namespace; None when nobody listens there."""
    ended = namespace.run(*_PYTHON, "client", address, port, uid=uid, gid=gid)
    return _read(ended.stdout)


@contextmanager
def open_connection(
    namespace: "Namespace", address: str, port: int, folder: Path
) -> Iterator[Callable[[], Reached | None]]:
    """A connection from a namespace; calling what is given asks over it, once.

    The answer is None when the connection does not work any more.
    """
    ask = folder / f"ask-{namespace.name}"
    os.mkfifo(ask)
    with namespace.started(*_PYTHON, "client", address, port, ask, uid=1000) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"

        def answer() -> Reached | None:
            ask.write_text("now")
            assert process.stdout is not None
            return _read(process.stdout.read())

        yield answer


def _read(text: str) -> Reached | None:
    answer = json.loads(text.removeprefix("connected\n"))
    return None if answer is None else Reached(*answer)


def _serve(name: str, ports: list[int]) -> None:
    selector = selectors.DefaultSelector()
    for port in ports:
        for family in (socket.AF_INET, socket.AF_INET6):
            listener = socket.create_server(("", port), family=family)
            selector.register(listener, selectors.EVENT_READ)
    _say("ready\n")
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            if key.data is None:
                connection, _ = key.fileobj.accept()
                port = key.fileobj.getsockname()[1]
                selector.register(connection, selectors.EVENT_READ, port)
                continue
            selector.unregister(key.fileobj)
            with key.fileobj as connection:
                if connection.recv(1):
                    answer = (name, key.data, *_original_destination(connection))
                    connection.sendall(json.dumps(answer).encode())


def _original_destination(connection: socket.socket) -> tuple[str, int]:
    """The address of a sockaddr_in or sockaddr_in6; without NAT it is that of the socket."""
    ipv6 = connection.family == socket.AF_INET6
    level, size, start, end = (
        (socket.IPPROTO_IPV6, 28, 8, 24) if ipv6 else (socket.IPPROTO_IP, 16, 4, 8)
    )
    try:
        raw = connection.getsockopt(level, SO_ORIGINAL_DST, size)
    except OSError:  # nothing tracks connections here
        host, port = connection.getsockname()[:2]
        return host, port
    return socket.inet_ntop(connection.family, raw[start:end]), int.from_bytes(raw[2:4])


def _ask(address: str, port: int, when: Path | None) -> None:
    answer = "null"
    with (
        suppress(ConnectionError, TimeoutError),
        socket.create_connection((address, port), timeout=5) as connection,
    ):
        _say("connected\n")
        if when is not None:
            when.read_text()
        connection.sendall(b"?")
        answer = connection.makefile().read()
    _say(answer)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    _, role, first, *rest = sys.argv
    if role == "server":
        _serve(first, [int(port) for port in rest])
    else:
        _ask(first, int(rest[0]), Path(rest[1]) if rest[1:] else None)
